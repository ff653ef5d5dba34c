import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../failure.ts';

/** PostgreSQL's client programs in one folder. */
export interface PostgresClient {
  readonly pgDump: string;
  readonly pgRestore: string;
  /** As reported by pg_dump: `16.4`. */
  readonly version: string;
  readonly major: number;
}

const execute = promisify(execFile);

/** First major whose pg_dump supports zstd, if built with it. */
const ZSTD_SINCE = 16;

async function clientIn(folder: string, searchPath: string): Promise<PostgresClient | undefined> {
  const pgDump = join(folder, 'pg_dump');
  const pgRestore = join(folder, 'pg_restore');
  try {
    await Promise.all([access(pgDump, constants.X_OK), access(pgRestore, constants.X_OK)]);
    const { stdout } = await execute(pgDump, ['--version'], { env: { PATH: searchPath, LC_ALL: 'C' } });
    const [, version, major] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    return version === undefined ? undefined : { pgDump, pgRestore, version, major: Number(major) };
  } catch {
    // No client here, or one that does not run. If no other remains, choosing one reports that.
    return undefined;
  }
}

/** All clients on a search path such as PATH, in its order. */
export async function findClients(searchPath: string): Promise<readonly PostgresClient[]> {
  const folders = [...new Set(searchPath.split(delimiter).filter((folder) => folder !== ''))];
  const clients = await Promise.all(folders.map((folder) => clientIn(folder, searchPath)));
  return clients.filter((client) => client !== undefined);
}

/** The first client of a major. */
function clientOf(clients: readonly PostgresClient[], major: number): PostgresClient | undefined {
  return clients.find((client) => client.major === major);
}

function available(clients: readonly PostgresClient[], program: string): string {
  const versions = clients.map(({ version }) => version).join(', ');
  return versions === '' ? `There is no ${program} on the PATH.` : `The PATH has only ${versions}.`;
}

/**
 * The client for a dump. pg_dump refuses a server newer than itself, and pg_restore 17 and later use a setting that
 * older servers refuse. So it is the oldest client from 16 on (zstd) that is not older than the server; if there is
 * none, the newest.
 *
 * @throws {Failure} `refused` if the server is newer than every client
 */
export function chooseDumpClient(clients: readonly PostgresClient[], serverMajor: number): PostgresClient {
  const majors = clients.map(({ major }) => major).filter((major) => major >= serverMajor);
  const withZstd = majors.filter((major) => major >= ZSTD_SINCE);
  const client = clientOf(clients, withZstd.length > 0 ? Math.min(...withZstd) : Math.max(...majors));
  if (client === undefined) {
    throw new Failure(
      'refused',
      `The server runs PostgreSQL ${serverMajor}, and pg_dump must not be older. ` +
        available(clients, 'pg_dump with a pg_restore') +
        ` Add the client programs of PostgreSQL ${serverMajor} to the image (in a local run, to the PATH).`,
    );
  }
  return client;
}

/**
 * The client for a restore. pg_restore cannot read the output of a newer pg_dump, and an older client demands less of
 * an older server. So it is the oldest that is not older than the pg_dump; if that is unknown, the newest.
 *
 * @param dumpMajor major of the pg_dump that made the dump; null if unknown
 * @throws {Failure} `refused` if every client is older
 */
export function chooseRestoreClient(clients: readonly PostgresClient[], dumpMajor: number | null): PostgresClient {
  const majors = clients.map(({ major }) => major).filter((major) => major >= (dumpMajor ?? 0));
  const client = clientOf(clients, dumpMajor === null ? Math.max(...majors) : Math.min(...majors));
  if (client === undefined) {
    const required =
      dumpMajor === null ? '' : `The dump was made by pg_dump ${dumpMajor}, and pg_restore must not be older. `;
    throw new Failure(
      'refused',
      `${required}${available(clients, 'pg_restore')} Add newer client programs to the image.`,
    );
  }
  return client;
}

export type Compression = 'zstd:3' | 'gzip:1';

/**
 * zstd if the client supports it, because it is faster and compresses better than gzip. pg_dump checks its own support
 * before it connects, so running it without a server shows whether it was built with zstd, independently of language
 * (LC_ALL) and server.
 */
export async function compressionOf({ pgDump, major }: PostgresClient): Promise<Compression> {
  if (major < ZSTD_SINCE) {
    return 'gzip:1';
  }
  const environment = { LC_ALL: 'C', PGHOST: '/nonexistent' };
  const args = ['--format=custom', '--compress=zstd:3', '--file=/dev/null'];
  const output = await new Promise<string>((resolve) => {
    execFile(pgDump, args, { env: environment }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
  return output.includes('this build does not support compression with ZSTD') ? 'gzip:1' : 'zstd:3';
}

/** pg_dump's option for the compression; before 16, `--compress` only accepts a gzip level. */
export function compressOption(compression: Compression): string {
  return `--compress=${compression === 'gzip:1' ? '1' : compression}`;
}
