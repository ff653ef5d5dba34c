import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Processes } from '../local/host/processes.ts';
import type { Program } from '../local/host/program.ts';
import { NEWEST_MAJOR, OLDEST_MAJOR, packageOf } from '../local/postgres/data-directory.ts';
import { type PostgresServer, startPostgres } from '../local/postgres/server.ts';
import { startAws } from './aws.ts';
import { findClients } from './clients.ts';
import { fill, type Shape } from './database.ts';
import { mountDisk } from './disk.ts';
import { cpuSecondsOfAll } from './measure.ts';
import type { Options } from './options.ts';
import { synthesizeProgram } from './program.ts';
import { startRelay } from './relay/start-relay.ts';
import type { Usage } from './services.ts';
import { type StoredDump, storeDump } from './stored-dump.ts';
import { bundleWithoutCensus } from './without-census.ts';

export const DATABASE = 'bench';

/** What is restored into. */
export const RESTORED = 'restored';

/** First major of pg_dump that supports it. */
const ZSTD_SINCE = 16;

/** Everything that the measured programs need. */
export interface Setup {
  /** Folder for the files of the measured programs only. */
  readonly scratch: string;
  readonly processes: Processes;
  /** Path of the dump program. */
  readonly program: string;
  /** That of the same without the census. */
  readonly withoutCensus: string;
  /** Environment of the measured programs. */
  readonly environment: NodeJS.ProcessEnv;
  /** How the engine has pg_dump compress with one connection, if that supports it. */
  readonly compression: string;
  /** A PATH whose pg_dump makes the engine stream. */
  readonly streamingPath: string;
  readonly usage: () => Promise<Usage>;
  /** Processor time of the PostgreSQL server, in seconds. */
  readonly serverCpu: () => Promise<number>;
  /** A dump of the database, made when it is first asked for. */
  readonly stored: () => Promise<StoredDump>;
  /** Creates an empty database to restore into, in place of the one before. */
  readonly renewRestored: () => Promise<void>;
}

/**
 * Synthesizes the program and starts the database and the services.
 *
 * @param folder an empty folder
 * @param program ends what is started
 * @throws {Misuse} if `clientPath` has no client programs
 * @throws {Error} if there are none
 */
export async function prepare(
  folder: string,
  { size, shape, perConnection, disk, clientPath }: Options,
  say: (line: string) => void,
  { signal, processes, cleanups }: Program,
): Promise<Setup> {
  const { programs: clients, path } = await findClients(clientPath, process.env.PATH ?? '');
  say(clients.map(({ version, folder: of }) => `pg_dump ${version} in ${of}`).join(', '));
  // The server's user must be able to read its folder.
  await chmod(folder, 0o711);
  say('Running cdk synth ...');
  const program = await synthesizeProgram(join(folder, 'cdk.out'), processes);
  // pg_restore uses settings of its own major.
  const major = Math.min(Math.max(clients[0]?.major ?? NEWEST_MAJOR, OLDEST_MAJOR), NEWEST_MAJOR);
  const postgres = await startPostgres({ directory: join(folder, 'postgres'), from: packageOf(major) });
  say(`The server is PostgreSQL ${major}.`);
  cleanups.push(() => postgres.stop());
  // A query that is running fails, and so ends the work.
  signal.addEventListener('abort', () => void postgres.stop());
  signal.throwIfAborted();
  const { user, password } = postgres;
  const { host, port } = perConnection === undefined ? postgres : await startRelay(postgres, perConnection, processes);
  const aws = await startAws({ engine: 'postgres', host, port, username: user, password, dbname: DATABASE }, processes);
  say('Generating the database ...');
  const bytes = await generate(postgres, size, shape);
  say(`The database takes ${(bytes / 1e6).toFixed(0)} MB on disk.`);
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  if (disk !== undefined) {
    cleanups.push(await mountDisk(scratch, disk));
  }
  const pidFile = join(folder, 'postgres', 'data', 'postmaster.pid');
  const environment = environmentOf({ ...postgres, host, port }, { scratch, path, endpoint: aws.endpoint });
  let stored: Promise<StoredDump> | undefined;
  return {
    scratch,
    program,
    withoutCensus: await bundleWithoutCensus(folder),
    processes,
    environment,
    compression: (clients[0]?.major ?? 0) >= ZSTD_SINCE ? 'zstd:3' : '1',
    streamingPath: await streamingPath(folder, path),
    usage: () => aws.usage(),
    serverCpu: async () => cpuSecondsOfAll(Number.parseInt(await readFile(pidFile, 'utf8'), 10)),
    stored: () => (stored ??= storeDump(join(folder, 'stored'), program, environment, { processes, cleanups })),
    renewRestored: () =>
      connected(postgres, 'postgres', async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${RESTORED}`);
        await client.query(`CREATE DATABASE ${RESTORED} TEMPLATE template0`);
        await client.query('CHECKPOINT');
        // Otherwise what the restore before has written would go to the disk during the next one.
        await promisify(execFile)('sync');
      }),
  };
}

async function connected<T>(
  { host, port, user, password }: PostgresServer,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  return await use(client).finally(() => client.end());
}

/** @returns bytes of the generated database on disk */
async function generate(server: PostgresServer, size: number, shape: Shape): Promise<number> {
  await connected(server, 'postgres', (client) => client.query(`CREATE DATABASE ${DATABASE}`));
  return await connected(server, DATABASE, async (client) => {
    await fill(client, size, shape);
    const { rows } = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
    return Number(rows[0]?.size);
  });
}

function environmentOf(
  { host, port, user, password }: Pick<PostgresServer, 'host' | 'port' | 'user' | 'password'>,
  { scratch, path, endpoint }: { readonly scratch: string; readonly path: string; readonly endpoint: string },
): NodeJS.ProcessEnv {
  return {
    PATH: path,
    ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
    ...{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'example', AWS_REGION: 'us-west-2' },
    ...{ AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
    AUTODUMP_SECRET_ARN: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:bench-AbCdEf',
    AUTODUMP_EXECUTION: 'bench',
    AUTODUMP_WHEN: '2026-11-22T08:00:00Z',
    AUTODUMP_BUCKETS: 'dumps',
    AUTODUMP_RETENTION_DAYS: '35',
    AUTODUMP_RESTORE_JOB: 'bench',
    TMPDIR: scratch,
  };
}

/** A PATH whose pg_dump reports a full disk when it writes to a file, so that the engine streams the dump instead. */
async function streamingPath(folder: string, path: string): Promise<string> {
  const clients = join(folder, 'streaming');
  await mkdir(clients);
  const script = (program: string) => `#!/bin/sh
case "$*" in *--file=${folder}*) echo 'pg_dump: error: could not write to output file: No space left on device' >&2; exit 1;; esac
PATH='${path}' exec ${program} "$@"\n`;
  for (const program of ['pg_dump', 'pg_restore']) {
    await writeFile(join(clients, program), script(program), { mode: 0o755 });
  }
  return [clients, path].join(delimiter);
}
