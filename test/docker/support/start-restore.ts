import { BUCKET, keyOf, type Outcome, type Running, type RunOptions, SECRET_ARN, type Stage } from './stage.ts';

/** Starts the restore of a dump into the database that the secret describes. */
export function startRestore(
  stage: Stage,
  dumped: string,
  into: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Running> {
  return stage.start(into, { ...options, args: restoring(dumped, args) });
}

function restoring(dumped: string, args: readonly string[]): readonly string[] {
  return ['restore', `s3://${BUCKET}/${keyOf(dumped)}`, '--to', SECRET_ARN, ...args];
}

/** Restores a dump into the database that the secret describes. */
export async function restore(
  stage: Stage,
  dumped: string,
  into: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Outcome> {
  return stage.dump(into, { ...options, args: restoring(dumped, args) });
}
