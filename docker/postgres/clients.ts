import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../failure.ts';

/** The client programs of one folder. */
export interface PostgresClient {
  readonly pgDump: string;
  readonly pgRestore: string;
  /** As pg_dump gives it: `16.4`. */
  readonly version: string;
  readonly major: number;
}

const execute = promisify(execFile);

/** From this major on pg_dump compresses with zstd, if it was built so. */
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
    // No client here, or one that does not run: not one to pick, and if none is left, that is said.
    return undefined;
  }
}

/** All clients on a search path such as PATH, in its order. */
export async function findClients(searchPath: string): Promise<readonly PostgresClient[]> {
  const folders = [...new Set(searchPath.split(delimiter).filter((folder) => folder !== ''))];
  const clients = await Promise.all(folders.map((folder) => clientIn(folder, searchPath)));
  return clients.filter((client) => client !== undefined);
}

/** Of two of the same major the first. */
function ofMajor(clients: readonly PostgresClient[], major: number): PostgresClient | undefined {
  return clients.find((client) => client.major === major);
}

function onPath(clients: readonly PostgresClient[], program: string): string {
  const versions = clients.map(({ version }) => version).join(', ');
  return versions === '' ? `There is no ${program} on the PATH.` : `On the PATH there is only ${versions}.`;
}

/**
 * The client for a server: pg_dump refuses a server newer than itself, and from 17 on pg_restore asks for a setting
 * that older servers refuse. So the smallest from 16 (zstd) that is not older than the server, and without such a one
 * the largest.
 *
 * @throws {Failure} `refused` if the server is newer than every client
 */
export function pickClient(clients: readonly PostgresClient[], serverMajor: number): PostgresClient {
  const majors = clients.map(({ major }) => major).filter((major) => major >= serverMajor);
  const withZstd = majors.filter((major) => major >= ZSTD_SINCE);
  const picked = ofMajor(clients, withZstd.length > 0 ? Math.min(...withZstd) : Math.max(...majors));
  if (picked === undefined) {
    throw new Failure(
      'refused',
      `The server is PostgreSQL ${serverMajor}, and pg_dump must not be older. ` +
        onPath(clients, 'pg_dump with a pg_restore') +
        ` Add the client programs of PostgreSQL ${serverMajor} to the image (or, in a local run, to the PATH).`,
    );
  }
  return picked;
}

/**
 * The client that restores a dump: pg_restore can't read what a newer pg_dump wrote, and one that is no newer than need
 * be asks least of an older server. So the smallest that is not older than the pg_dump, and the largest if that is not
 * known.
 *
 * @param dumpMajor major of the pg_dump that made the dump, or null
 * @throws {Failure} `refused` if every client is older
 */
export function pickRestoreClient(clients: readonly PostgresClient[], dumpMajor: number | null): PostgresClient {
  const majors = clients.map(({ major }) => major).filter((major) => major >= (dumpMajor ?? 0));
  const picked = ofMajor(clients, dumpMajor === null ? Math.max(...majors) : Math.min(...majors));
  if (picked === undefined) {
    const made =
      dumpMajor === null ? '' : `The dump was made by pg_dump ${dumpMajor}, and pg_restore must not be older. `;
    throw new Failure('refused', `${made}${onPath(clients, 'pg_restore')} Add newer client programs to the image.`);
  }
  return picked;
}

export type Compression = 'zstd:3' | 'gzip:1';

/**
 * zstd, faster and smaller than gzip, where the client can. pg_dump checks that before it connects, so it is
 * asked for a dump of nothing: what it says then about its build does not depend on language (LC_ALL) or server.
 */
export async function compressionOf({ pgDump, major }: PostgresClient): Promise<Compression> {
  if (major < ZSTD_SINCE) {
    return 'gzip:1';
  }
  const environment = { LC_ALL: 'C', PGHOST: '/nonexistent' };
  const args = ['--format=custom', '--compress=zstd:3', '--file=/dev/null'];
  const complaint = await new Promise<string>((resolve) => {
    execFile(pgDump, args, { env: environment }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
  return complaint.includes('this build does not support compression with ZSTD') ? 'gzip:1' : 'zstd:3';
}

/** The compression as pg_dump's option `--compress` takes it; before 16 that is a bare level of gzip. */
export function compressOption(compression: Compression): string {
  return `--compress=${compression === 'gzip:1' ? '1' : compression}`;
}
