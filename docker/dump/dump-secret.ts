import type { S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../aws.ts';
import type { Task } from '../plan/environment.ts';
import { logPlan, planOf, readPlan } from '../plan/plan.ts';
import type { RunContext } from '../run-context.ts';
import { dumpSeveral } from './dump-several.ts';
import { dumpDatabase } from './dump.ts';

/**
 * Dumps one secret's databases for one scheduled time. When it returns, S3 has a proven dump of each with its manifest.
 * Whether it returns or throws, nothing is left on the local disk.
 *
 * @throws {Failure} with the reason; any other error, except the signal's reason, is an internal error
 */
export async function dumpSecret(task: Task, context: RunContext): Promise<void> {
  const s3 = openS3(task.region);
  try {
    await dumpTo(s3, task, context);
  } finally {
    s3.destroy();
  }
}

async function dumpTo(s3: S3Client, task: Task, context: RunContext): Promise<void> {
  const secret = await readPlan(task, context.signal);
  logPlan(secret);
  if (secret.databases.kind === 'one') {
    await dumpDatabase(s3, planOf(secret, secret.databases.name), context);
  } else {
    await dumpSeveral(s3, secret, context);
  }
}
