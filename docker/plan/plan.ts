import { log } from '../log.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import type { DumpObject } from '../s3/object.ts';
import type { Task } from './environment.ts';
import { fetchSecret } from './fetch-secret.ts';
import { dumpKey } from './key.ts';
import { parseSecret } from './secret.ts';

/** What one run is to dump, and where to. */
export interface Plan {
  readonly task: Task;
  readonly target: ConnectionSettings;
  readonly object: DumpObject;
}

/**
 * What the secret says is to be dumped, and where to.
 *
 * @throws {Failure} if the secret can't be read or used
 */
export async function planFor(task: Task, signal: AbortSignal): Promise<Plan> {
  const secret = await fetchSecret(task, signal);
  const target = parseSecret(secret, task.buckets);
  const object = { bucket: target.bucket, key: dumpKey(secret.name, target.database, task.scheduledFor) };
  log(`Secret ${secret.name}, scheduled for ${task.scheduledFor}: dump to s3://${object.bucket}/${object.key}`);
  return { task, target, object };
}
