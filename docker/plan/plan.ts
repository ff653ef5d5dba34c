import { DESTINATION_LABEL } from '../../contract.ts';
import { log } from '../log.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import type { DumpObject } from '../s3/object.ts';
import type { Task } from './environment.ts';
import { dumpKey } from './key.ts';
import { ignoredTags } from './names.ts';
import { readSecret } from './read-secret.ts';
import { parseDumpSettings } from './secret.ts';

/** The database to dump, and the object to write. */
export interface Plan {
  readonly task: Task;
  readonly secretName: string;
  /** What is ignored of the secret, although it may have been meant for AutoDump. In words. */
  readonly ignored: readonly string[];
  readonly source: ConnectionSettings;
  readonly filters: Filters;
  /** SQL queries that must return true in a drill of the dump. */
  readonly assertions: readonly string[];
  readonly object: DumpObject;
}

/**
 * Reads the secret and derives the plan from it.
 *
 * @throws {Failure} if the secret cannot be read or is invalid
 */
export async function planFor(task: Task, signal: AbortSignal): Promise<Plan> {
  const secret = await readSecret(task, signal);
  const { bucket, filters, assertions, retention, storageClass, ...source } = parseDumpSettings(secret, task);
  const key = dumpKey(secret.name, source.database, task.scheduledFor);
  const object = { bucket, key, retention, storageClass };
  return { task, secretName: secret.name, ignored: ignoredTags(secret.tags), source, filters, assertions, object };
}

/** Begins the log of a run. */
export function logPlan({ task, secretName, object }: Plan): void {
  const destination = `s3://${object.bucket}/${object.key}`;
  log(`Secret ${secretName}, scheduled for ${task.scheduledFor}${DESTINATION_LABEL}${destination}`);
}
