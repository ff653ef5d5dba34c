import { DESTINATION_LABEL, dumpFolder } from '../../contract.ts';
import { log } from '../log.ts';
import type { ConnectionSettings, ServerSettings } from '../postgres/connection/connection-settings.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import type { DumpObject } from '../s3/object.ts';
import type { Databases, DatabasesOfRun } from './databases.ts';
import type { Task } from './environment.ts';
import { dumpKey, globalsKey } from './key.ts';
import { ignoredOf } from './misspelled-names.ts';
import { readSecret } from './read-secret.ts';
import { parseDumpSettings } from './secret.ts';

/** What a secret asks for. */
export interface SecretPlan extends Pick<DumpObject, 'retention' | 'storageClass'> {
  readonly task: Task;
  readonly secretName: string;
  /** What is ignored of the secret, although it may have been meant for AutoDump. In words. */
  readonly ignored: readonly string[];
  readonly server: ServerSettings;
  readonly databases: Databases;
  readonly filters: Filters;
  /** Most connections that read rows. */
  readonly parallel: number;
  /** SQL queries that must return true in a drill of a dump. */
  readonly assertions: readonly string[];
  readonly bucket: string;
}

/** An object with the roles of a server. What is not known of one that an earlier attempt wrote is null. */
export interface StoredGlobals {
  readonly key: string;
  readonly bytes: number | null;
  readonly sha256: string | null;
}

/** The run that a dump belongs to, if its secret asks for more than one database. */
export interface Run extends DatabasesOfRun {
  /** Undefined if not all databases are asked for, or the roles could not be written. */
  readonly globals?: StoredGlobals | undefined;
}

/** The database to dump, and the object to write. */
export interface Plan {
  readonly task: Task;
  readonly secretName: string;
  readonly source: ConnectionSettings;
  readonly filters: Filters;
  /** Most connections that read rows. */
  readonly parallel: number;
  /** SQL queries that must return true in a drill of the dump. */
  readonly assertions: readonly string[];
  readonly object: DumpObject;
  readonly run?: Run | undefined;
}

/**
 * Reads the secret and derives from it what is to be done.
 *
 * @throws {Failure} if the secret cannot be read or is invalid
 */
export async function readPlan(task: Task, signal: AbortSignal): Promise<SecretPlan> {
  const secret = await readSecret(task, signal);
  const settings = parseDumpSettings(secret, task);
  return { task, secretName: secret.name, ignored: ignoredOf(secret), ...settings };
}

/** The plan for one of the databases of a secret. */
export function planOf(secret: SecretPlan, database: string, run?: Run): Plan {
  const { task, secretName, server, filters, parallel, assertions } = secret;
  const object = objectOf(secret, dumpKey(secretName, database, task.scheduledFor));
  return { task, secretName, source: { ...server, database }, filters, parallel, assertions, object, run };
}

/**
 * Reads the secret again, for the same database; if it asks for a single one, for that.
 *
 * @throws {Failure} as {@link readPlan} does
 */
export async function readPlanAgain({ task, source, run }: Plan, signal: AbortSignal): Promise<Plan> {
  const secret = await readPlan(task, signal);
  const database = secret.databases.kind === 'one' ? secret.databases.name : source.database;
  return planOf(secret, database, run);
}

/** Where the server's roles go. */
export function globalsOf(secret: SecretPlan): DumpObject {
  return objectOf(secret, globalsKey(secret.secretName, secret.task.scheduledFor));
}

function objectOf({ bucket, retention, storageClass }: SecretPlan, key: string): DumpObject {
  return { bucket, key, retention, storageClass };
}

/** Begins the log of a run. */
export function logPlan({ task, secretName, databases, bucket }: SecretPlan): void {
  const key =
    databases.kind === 'one' ? dumpKey(secretName, databases.name, task.scheduledFor) : `${dumpFolder(secretName)}/`;
  log(`Secret ${secretName}, scheduled for ${task.scheduledFor}${DESTINATION_LABEL}s3://${bucket}/${key}`);
}
