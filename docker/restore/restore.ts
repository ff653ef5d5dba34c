import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../aws.ts';
import { freeSpace } from '../disk.ts';
import { log } from '../log.ts';
import { fetchSecret } from '../plan/fetch-secret.ts';
import { parseTarget } from '../plan/secret.ts';
import { findClients, pickRestoreClient, type PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import { withConnection } from '../postgres/connection.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/tls.ts';
import { sized, withProgress } from '../progress.ts';
import type { RunContext } from '../run-context.ts';
import type { RestoreOrder } from './options.ts';
import { restoreArchive } from './pg-restore.ts';
import { findStoredDump, readStoredDump, type StoredDump } from './stored-dump.ts';
import { checkTarget, inspectTarget, type TargetDatabase } from './target-database.ts';

/** Left free of the scratch disk, for what else is on it. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** A database that was reached and can be restored into, and with what. */
interface Destination {
  readonly target: ConnectionSettings;
  readonly policy: TlsPolicy;
  readonly client: PostgresClient;
  /** Whether there was nothing in it. */
  readonly wasEmpty: boolean;
}

/**
 * Restores one dump. When it returns, all of the dump is in the database, and its bytes were those that were proven
 * when it was made. Whatever can be checked is checked before the database is touched.
 *
 * @throws {Failure} with the reason; anything else but the signal's own is a fault of the program
 */
export async function restore(order: RestoreOrder, context: RunContext): Promise<void> {
  const { signal } = context;
  const s3 = openS3(order.region);
  const folder = await mkdtemp(join(order.scratch, 'autodump-'));
  try {
    const dump = await findStoredDump(s3, order.object, signal);
    log(`Restoring s3://${dump.object.bucket}/${dump.object.key}, ${sized(dump.bytes)}`);
    const destination = await prepare(order, dump, context);
    const file = (await fits(dump, folder)) ? join(folder, 'dump') : undefined;
    await fetchAndCheck(s3, dump, file, signal);
    const archive = file === undefined ? { bytes: readStoredDump(s3, dump, signal) } : { file, jobs: order.jobs };
    await restoreArchive(
      {
        ...destination,
        folder,
        searchPath: context.searchPath,
        archive,
        databaseBytes: dump.databaseBytes,
      },
      signal,
    );
    const { database, host, port } = destination.target;
    log(`Done: all of the dump is in the database "${database}" on ${host} port ${port}.`);
    log('Next: run ANALYZE there; a dump holds no statistics for the planner.');
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Checks all that can be checked before the download. */
async function prepare(
  { target: named, intoNonEmpty }: RestoreOrder,
  dump: StoredDump,
  { searchPath, rdsRoots, signal }: RunContext,
): Promise<Destination> {
  const target = 'secretArn' in named ? parseTarget(await fetchSecret(named, signal)) : named;
  const policy = tlsPolicy(target, rdsRoots);
  const database = await withConnection(target, policy, signal, inspectTarget);
  checkTarget(database, target, intoNonEmpty);
  const client = pickRestoreClient(await findClients(searchPath), dump.clientMajor);
  log(
    `Database "${target.database}" on ${target.host} port ${target.port}: PostgreSQL ${database.version}; ` +
      `sslmode ${policy.mode}; pg_restore ${client.version}`,
  );
  warnOfOlderServer(database, dump, client);
  return { target, policy, client, wasEmpty: database.contents.length === 0 };
}

/** From this major on pg_restore sets `transaction_timeout`, and the server knows it. */
const TRANSACTION_TIMEOUT_SINCE = 17;

/** Says before the start what an older server will make of the dump. */
function warnOfOlderServer({ major }: TargetDatabase, { serverVersion }: StoredDump, client: PostgresClient): void {
  if (serverVersion !== null && Number.parseInt(serverVersion) > major) {
    log(
      `Note: the dump is of PostgreSQL ${serverVersion}, and this server is older. What it does not know of it, it will ` +
        'refuse, and the restore then ends as failed.',
    );
  }
  if (major < TRANSACTION_TIMEOUT_SINCE && client.major >= TRANSACTION_TIMEOUT_SINCE) {
    log(
      `Note: pg_restore ${client.major} asks for the setting transaction_timeout, which PostgreSQL ${major} does not know. ` +
        'Its refusal of that means nothing and does not count; every other error does.',
    );
  }
}

/** Whether there is room for the dump as a file. */
async function fits({ bytes }: StoredDump, folder: string): Promise<boolean> {
  const free = await freeSpace(folder);
  if (bytes + RESERVE_BYTES <= free) {
    return true;
  }
  log(
    `The dump has ${sized(bytes)}, and the local disk ${sized(free)} free: it is read twice from S3, once to check it and ` +
      'once to restore it, by one connection alone.',
  );
  return false;
}

/**
 * Reads all of the dump, into the file if there is one, before anything is restored.
 *
 * @throws {Failure} `verificationFailed` if it is not what was proven
 */
async function fetchAndCheck(
  s3: S3Client,
  dump: StoredDump,
  file: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const sink = createWriteStream(file ?? devNull);
  const phase = { name: 'Fetching', done: () => sink.bytesWritten, total: { bytes: dump.bytes, what: 'of the dump' } };
  await withProgress(phase, () => pipeline(readStoredDump(s3, dump, signal), sink));
  const { algorithm, value } = dump.checksum;
  log(`Its ${algorithm} ${value} is that of the proven dump.`);
}
