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
import { parseConnectionSettings } from '../plan/secret.ts';
import { chooseRestoreClient, clientWarning, findClients, type PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import { withConnection } from '../postgres/connection.ts';
import { poolerFailure } from '../postgres/pooler.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/tls.ts';
import { formatBytes, withProgress } from '../progress.ts';
import type { RunContext } from '../run-context.ts';
import type { RestoreOptions } from './options.ts';
import { restoreArchive } from './pg-restore.ts';
import { findStoredDump, readStoredDump, type StoredDump } from './stored-dump.ts';
import { checkTarget, inspectTarget, type TargetDatabase } from './target-database.ts';

/** Scratch space to leave free for other files. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** The settings of a restore that passed all checks. */
interface RestoreSetup {
  readonly target: ConnectionSettings;
  readonly policy: TlsPolicy;
  readonly client: PostgresClient;
  /** Whether the target database was empty. */
  readonly wasEmpty: boolean;
}

/**
 * Restores one dump. When it returns, the whole dump is in the database, and its bytes were the ones that were proven
 * when it was made. Everything that can be checked is checked before the database is changed.
 *
 * @throws {Failure} with the reason; any other error, except the signal's reason, is an internal error
 */
export async function restore(options: RestoreOptions, context: RunContext): Promise<void> {
  const { signal } = context;
  const s3 = openS3(options.region);
  const folder = await mkdtemp(join(options.scratch, 'autodump-'));
  try {
    const dump = await findStoredDump(s3, options.object, signal);
    log(`Restoring s3://${dump.object.bucket}/${dump.object.key}, ${formatBytes(dump.bytes)}`);
    const setup = await prepare(options, dump, context);
    const file = (await fits(dump, folder)) ? join(folder, 'dump') : undefined;
    await fetchAndCheck(s3, dump, file, signal);
    const archive = file === undefined ? { bytes: readStoredDump(s3, dump, signal) } : { file, jobs: options.jobs };
    await restoreArchive(
      {
        ...setup,
        folder,
        searchPath: context.searchPath,
        archive,
        databaseBytes: dump.databaseBytes,
      },
      signal,
    );
    const { database, host, port } = setup.target;
    log(`Done: the whole dump is in the database "${database}" on ${host} port ${port}.`);
    log('Next: run ANALYZE there, because a dump contains no planner statistics.');
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs all checks that are possible before the download. */
async function prepare(
  { target: given, intoNonEmpty }: RestoreOptions,
  dump: StoredDump,
  { searchPath, rdsRoots, signal }: RunContext,
): Promise<RestoreSetup> {
  const target = 'secretArn' in given ? parseConnectionSettings(await fetchSecret(given, signal)) : given;
  const policy = tlsPolicy(target, rdsRoots);
  const database = await withConnection(target, policy, signal, async (connection, route) => {
    const refusal = poolerFailure(target, route);
    if (refusal !== undefined) {
      throw refusal;
    }
    return inspectTarget(connection);
  });
  checkTarget(database, target, intoNonEmpty);
  const client = chooseRestoreClient(await findClients(searchPath), dump.clientMajor);
  log(
    `Database "${target.database}" on ${target.host} port ${target.port}: PostgreSQL ${database.version}; ` +
      `sslmode ${policy.mode}; pg_restore ${client.version}`,
  );
  const warning = clientWarning(client);
  if (warning !== undefined) {
    log(`Warning: ${warning}.`);
  }
  warnOfOlderServer(database, dump, client);
  return { target, policy, client, wasEmpty: database.contents.length === 0 };
}

/** First major in which pg_restore sets `transaction_timeout`, and the server supports it. */
const TRANSACTION_TIMEOUT_SINCE = 17;

/** Warns about statements that an older server will refuse. */
function warnOfOlderServer({ major }: TargetDatabase, { serverVersion }: StoredDump, client: PostgresClient): void {
  if (serverVersion !== null && Number.parseInt(serverVersion) > major) {
    log(
      `Note: the dump is of PostgreSQL ${serverVersion}, and this server is older. It refuses statements that it does ` +
        'not support, and the restore then fails.',
    );
  }
  if (major < TRANSACTION_TIMEOUT_SINCE && client.major >= TRANSACTION_TIMEOUT_SINCE) {
    log(
      `Note: pg_restore ${client.major} sets transaction_timeout, which PostgreSQL ${major} does not support. ` +
        'That error is harmless and ignored; every other error counts.',
    );
  }
}

/** Whether the disk has room for the dump. */
async function fits({ bytes }: StoredDump, folder: string): Promise<boolean> {
  const free = await freeSpace(folder);
  if (bytes + RESERVE_BYTES <= free) {
    return true;
  }
  log(
    `The dump has ${formatBytes(bytes)}, and the local disk only ${formatBytes(free)} free: the dump is read from S3 ` +
      'twice, once to check it and once to restore it, over a single connection.',
  );
  return false;
}

/**
 * Reads the whole dump before anything is restored, into the file if there is one.
 *
 * @throws {Failure} `verificationFailed` if it is not the proven dump
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
  log(`Its ${algorithm} ${value} matches the proven dump.`);
}
