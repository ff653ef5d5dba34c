import { execFile } from 'node:child_process';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';
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
  // By their real paths: often, /bin is a link to /usr/bin.
  const folders = new Map<string, string>();
  for (const folder of searchPath.split(delimiter).filter((each) => each !== '')) {
    const path = await realpath(folder).catch(() => folder);
    folders.set(path, folders.get(path) ?? folder);
  }
  const clients = await Promise.all([...folders.values()].map((folder) => clientIn(folder, searchPath)));
  return clients.filter((client) => client !== undefined);
}

/** The oldest version that may be used instead of this one; undefined if this one may. */
function replacementFor({ version, major }: PostgresClient): string | undefined {
  // A major before those that are listed is out of support, and replaced by the first of them.
  const minimum = MINIMUM_CLIENT_VERSIONS.find((each) => Number.parseInt(each) >= major);
  if (minimum === undefined) {
    return undefined;
  }
  const [minimumMajor, minimumMinor = 0] = minimum.split('.').map(Number);
  // A pre-release, such as 18beta1, has no minor version.
  const minor = Number(/^\d+\.(\d+)/.exec(version)?.[1] ?? -1);
  return major === minimumMajor && minor >= minimumMinor ? undefined : minimum;
}

/**
 * The oldest major of which an outdated version is refused. Those before are not in the image. Where they are all that
 * a machine has, they serve for a local run, with a warning.
 */
const REFUSED_SINCE = ZSTD_SINCE;

const VULNERABLE = 'runs code that a crafted archive contains (CVE-2026-116314)';

/** Why a client that was chosen should be replaced, if it should. */
export function clientWarning(client: PostgresClient): string | undefined {
  const replacement = replacementFor(client);
  return replacement === undefined
    ? undefined
    : `pg_restore ${client.version} ${VULNERABLE}: install ${replacement} or later`;
}

interface Candidates {
  readonly usable: readonly PostgresClient[];
  /** One sentence for each version that is refused. */
  readonly refused: readonly string[];
}

function candidates(clients: readonly PostgresClient[]): Candidates {
  const isRefused = (client: PostgresClient) => client.major >= REFUSED_SINCE && replacementFor(client) !== undefined;
  const refused = clients
    .filter(isRefused)
    .map(
      (client) => `${client.version} is refused, because it ${VULNERABLE}: install ${replacementFor(client)} or later.`,
    );
  return { usable: clients.filter((client) => !isRefused(client)), refused };
}

/** The first client of a major. */
function clientOf(clients: readonly PostgresClient[], major: number): PostgresClient | undefined {
  return clients.find((client) => client.major === major);
}

function available({ usable, refused }: Candidates, program: string): string {
  const versions = usable.map(({ version }) => version).join(', ');
  const other = refused.length > 0 ? 'other ' : '';
  const found = versions === '' ? `There is no ${other}${program} on the PATH.` : `The PATH has only ${versions}.`;
  return [...refused, found].join(' ');
}

/**
 * The client for a dump. pg_dump refuses a server newer than itself, and pg_restore 17 and later use a setting that
 * older servers refuse. So it is the oldest client from 16 on (zstd) that is not older than the server; if there is
 * none, the newest. Versions with known vulnerabilities do not count.
 *
 * @throws {Failure} `refused` if the server is newer than every client
 */
export function chooseDumpClient(clients: readonly PostgresClient[], serverMajor: number): PostgresClient {
  const found = candidates(clients);
  const majors = found.usable.map(({ major }) => major).filter((major) => major >= serverMajor);
  const withZstd = majors.filter((major) => major >= ZSTD_SINCE);
  const client = clientOf(found.usable, withZstd.length > 0 ? Math.min(...withZstd) : Math.max(...majors));
  if (client === undefined) {
    throw new Failure(
      'refused',
      `The server runs PostgreSQL ${serverMajor}, and pg_dump must not be older. ` +
        available(found, 'pg_dump with a pg_restore') +
        ` Add the client programs of PostgreSQL ${serverMajor} to the image (in a local run, to the PATH).`,
    );
  }
  return client;
}

/**
 * The client for a restore. pg_restore cannot read the output of a newer pg_dump, and an older client demands less of
 * an older server. So it is the oldest that is not older than the pg_dump; if that is unknown, the newest. Versions
 * with known vulnerabilities do not count.
 *
 * @param dumpMajor major of the pg_dump that made the dump; null if unknown
 * @throws {Failure} `refused` if every client is older
 */
export function chooseRestoreClient(clients: readonly PostgresClient[], dumpMajor: number | null): PostgresClient {
  const found = candidates(clients);
  const majors = found.usable.map(({ major }) => major).filter((major) => major >= (dumpMajor ?? 0));
  const client = clientOf(found.usable, dumpMajor === null ? Math.max(...majors) : Math.min(...majors));
  if (client === undefined) {
    const required =
      dumpMajor === null ? '' : `The dump was made by pg_dump ${dumpMajor}, and pg_restore must not be older. `;
    throw new Failure(
      'refused',
      `${required}${available(found, 'pg_restore')} Add newer client programs to the image.`,
    );
  }
  return client;
}

export type CompressionMethod = 'zstd' | 'gzip';

export type Compression = 'zstd:3' | 'zstd:1' | 'gzip:1';

/**
 * zstd if the client supports it, because it is faster and compresses better than gzip. pg_dump checks its own support
 * before it connects, so running it without a server shows whether it was built with zstd, independently of language
 * (LC_ALL) and server.
 */
export async function compressionMethodOf({ pgDump, major }: PostgresClient): Promise<CompressionMethod> {
  if (major < ZSTD_SINCE) {
    return 'gzip';
  }
  const environment = { LC_ALL: 'C', PGHOST: '/nonexistent' };
  const args = ['--format=custom', '--compress=zstd:3', '--file=/dev/null'];
  const output = await new Promise<string>((resolve) => {
    execFile(pgDump, args, { env: environment }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
  return output.includes('this build does not support compression with ZSTD') ? 'gzip' : 'zstd';
}

/**
 * With one connection, a dump waits for the server. What several wait for is processors, of which level 1 of zstd needs
 * up to two thirds less than its default.
 */
export function compressionFor(method: CompressionMethod, connections: 'one' | 'several'): Compression {
  return method === 'gzip' ? 'gzip:1' : connections === 'one' ? 'zstd:3' : 'zstd:1';
}

/** pg_dump's option for the compression; before 16, `--compress` only accepts a gzip level. */
export function compressOption(compression: Compression): string {
  return `--compress=${compression === 'gzip:1' ? '1' : compression}`;
}
