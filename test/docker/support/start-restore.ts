import { BUCKET, keyOf, type Outcome, type Running, type RunOptions, SECRET_ARN, type Stage } from './stage.ts';

/** Starts the restore of a dump into the database that the secret describes. */
export function startRestore(
  stage: Stage,
  dumped: string,
  into: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Running> {
  return stage.start(into, {
    ...options,
    args: ['restore', `s3://${BUCKET}/${keyOf(dumped)}`, '--to', SECRET_ARN, ...args],
  });
}

/** Restores a dump into the database that the secret describes. */
export async function restore(
  stage: Stage,
  dumped: string,
  into: string,
  args?: readonly string[],
  options?: RunOptions,
): Promise<Outcome> {
  const { outcome } = await startRestore(stage, dumped, into, args, options);
  return outcome;
}
