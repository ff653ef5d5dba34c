import { BUCKET, keyOf, SECRET_ARN } from './stage.ts';
import type { Order, Running, Stage } from './stage.ts';

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
