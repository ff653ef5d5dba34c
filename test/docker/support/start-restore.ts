import { BUCKET, keyOf, type Order, type Running, SECRET_ARN, type Stage } from './stage.ts';

/** Starts the restore of a dump into a database, which the secret names. */
export function startRestore(
  stage: Stage,
  dumped: string,
  into: string,
  words: readonly string[] = [],
  order: Order = {},
): Promise<Running> {
  return stage.start(into, {
    ...order,
    words: ['restore', `s3://${BUCKET}/${keyOf(dumped)}`, '--to', SECRET_ARN, ...words],
  });
}
