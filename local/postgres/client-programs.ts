import { execFile } from 'node:child_process';
import { constants, existsSync, globSync } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ownEnvironment } from '../host/environment.ts';
import type { Processes } from '../host/processes.ts';

const run = promisify(execFile);

/** Where packages install the PostgreSQL programs without adding them to the PATH. */
const KNOWN_FOLDERS = [
  'usr/lib/postgresql/*/bin',
  'usr/pgsql-*/bin',
  'opt/homebrew/opt/postgresql@*/bin',
  'opt/homebrew/opt/libpq/bin',
  'usr/local/opt/postgresql@*/bin',
  'usr/local/opt/libpq/bin',
];

/** A folder that has both pg_dump and pg_restore. */
export interface ClientPrograms {
  readonly folder: string;
  /** As reported by pg_dump: `16.4`. */
  readonly version: string;
  readonly major: number;
}

/** No client programs can make the dump. The message says how to install them. */
export class ClientProgramsMissing extends Error {
  override readonly name = 'ClientProgramsMissing';
}

/**
 * Finds the PostgreSQL client programs on the PATH and in the folders that Debian, Red Hat and Homebrew use.
 *
 * @param searchPath folders in the format of PATH
 * @param root folder below which the known folders are searched
 */
export async function findClientPrograms(searchPath: string, root = '/'): Promise<readonly ClientPrograms[]> {
  const onPath = searchPath.split(delimiter).filter((folder) => folder !== '');
  const known = KNOWN_FOLDERS.flatMap((pattern) => globSync(join(root, pattern)).sort());
  const found = await Promise.all([...onPath, ...known].map(programsIn));
  const byRealPath = new Map(found.flatMap((entry) => (entry === undefined ? [] : [entry])));
  return [...byRealPath.values()];
}

/** @returns the folder's programs, with the real path of pg_dump to detect duplicates */
async function programsIn(folder: string): Promise<readonly [string, ClientPrograms] | undefined> {
  const pgDump = join(folder, 'pg_dump');
  try {
    await Promise.all([access(pgDump, constants.X_OK), access(join(folder, 'pg_restore'), constants.X_OK)]);
    const real = await realpath(pgDump);
    // Debian's wrapper calls one of the versions in the known folders.
    if (basename(real) === 'pg_wrapper') {
      return undefined;
    }
    const { stdout } = await run(pgDump, ['--version'], { env: ownEnvironment() });
    const [, version, major] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    return version === undefined ? undefined : [real, { folder, version, major: Number(major) }];
  } catch {
    return undefined; // There is no executable here.
  }
}

/**
 * Finds client programs that can dump a server, and installs them on Debian if there are none and this process is root.
 *
 * @param serverMajor lowest major version required; undefined if unknown
 * @param log receives progress messages
 * @throws {ClientProgramsMissing} if there are none, and they could not be installed
 */
export async function ensureClientPrograms(
  serverMajor: number | undefined,
  processes: Processes,
  log: (text: string) => void,
): Promise<readonly ClientPrograms[]> {
  const find = (): Promise<readonly ClientPrograms[]> => findClientPrograms(process.env.PATH ?? '');
  const present = await find();
  if (isSufficient(present, serverMajor)) {
    return present;
  }
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new ClientProgramsMissing(missingMessage(present, serverMajor));
  }
  await installOnDebian(processes, log);
  const installed = await find();
  if (isSufficient(installed, serverMajor)) {
    return installed;
  }
  throw new ClientProgramsMissing(missingMessage(installed, serverMajor));
}

function isSufficient(programs: readonly ClientPrograms[], serverMajor = 0): boolean {
  return programs.some(({ major }) => major >= serverMajor);
}

async function installOnDebian(processes: Processes, log: (text: string) => void): Promise<void> {
  const commands = [['update'], ['install', '--yes', '--no-install-recommends', 'postgresql-client']];
  for (const args of commands) {
    log(`Installing the PostgreSQL client programs: apt-get ${args.join(' ')}`);
    const { child, ended } = processes.start('apt-get', args, {
      env: { ...ownEnvironment(), DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const end = await ended;
    if (end.kind !== 'exit' || end.status !== 0) {
      throw new ClientProgramsMissing(`apt-get ${args.join(' ')} failed: ${errors.trim().slice(-1000)}`);
    }
  }
}

function missingMessage(found: readonly ClientPrograms[], serverMajor: number | undefined): string {
  if (found.length === 0) {
    return `The PostgreSQL client programs pg_dump and pg_restore are not installed. Install them: ${installCommand()}`;
  }
  const versions = found.map(({ version, folder }) => `${version} in ${folder}`).join(', ');
  return (
    `The sample database runs PostgreSQL ${serverMajor ?? ''} and needs a pg_dump of the same version or newer; found only ${versions}. ` +
    `Install newer PostgreSQL client programs, or dump an older database with --database.`
  );
}

function installCommand(): string {
  if (process.platform === 'darwin') {
    return 'brew install libpq';
  }
  if (existsSync('/etc/debian_version')) {
    return 'sudo apt-get install --yes postgresql-client';
  }
  if (existsSync('/etc/redhat-release')) {
    return 'sudo dnf install -y postgresql';
  }
  if (existsSync('/etc/alpine-release')) {
    return 'apk add postgresql-client';
  }
  return "your system's package postgresql-client, or https://www.postgresql.org/download/";
}
