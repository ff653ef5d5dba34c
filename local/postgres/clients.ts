import { execFile } from 'node:child_process';
import { constants, existsSync, globSync } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Processes } from '../host/processes.ts';

const run = promisify(execFile);

/** Where packages of PostgreSQL put its programs without putting them on the PATH. */
const USUAL_PLACES = [
  'usr/lib/postgresql/*/bin',
  'usr/pgsql-*/bin',
  'opt/homebrew/opt/postgresql@*/bin',
  'opt/homebrew/opt/libpq/bin',
  'usr/local/opt/postgresql@*/bin',
  'usr/local/opt/libpq/bin',
];

/** The client programs of one folder. */
export interface Clients {
  readonly folder: string;
  /** As pg_dump gives it: `16.4`. */
  readonly version: string;
  readonly major: number;
}

/** There are no client programs that could make the dump. The message says how to get them. */
export class NoClients extends Error {
  override readonly name = 'NoClients';
}

/**
 * Finds the PostgreSQL client programs, on the PATH and in the usual places of Debian, Red Hat and Homebrew.
 *
 * @param root where the usual places are looked for
 */
export async function findClients(searchPath: string, root = '/'): Promise<readonly Clients[]> {
  const onPath = searchPath.split(delimiter).filter((folder) => folder !== '');
  const elsewhere = USUAL_PLACES.flatMap((place) => globSync(join(root, place)).sort());
  const found = await Promise.all([...onPath, ...elsewhere].map(clientsIn));
  const byProgram = new Map(found.flatMap((clients) => (clients === undefined ? [] : [clients])));
  return [...byProgram.values()];
}

/** @returns the folder's clients, with the real path of pg_dump to tell duplicates */
async function clientsIn(folder: string): Promise<readonly [string, Clients] | undefined> {
  const pgDump = join(folder, 'pg_dump');
  try {
    await Promise.all([access(pgDump, constants.X_OK), access(join(folder, 'pg_restore'), constants.X_OK)]);
    const real = await realpath(pgDump);
    // Debian's wrapper picks one of the versions that are in the usual places anyway.
    if (basename(real) === 'pg_wrapper') {
      return undefined;
    }
    const { stdout } = await run(pgDump, ['--version']);
    const [, version, major] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    return version === undefined ? undefined : [real, { folder, version, major: Number(major) }];
  } catch {
    return undefined; // Nothing here that runs.
  }
}

/**
 * The clients that can dump a server, installed first on Debian as root if there are none.
 *
 * @param server major version that the clients must reach; undefined if it is not known
 * @throws {NoClients}
 */
export async function provideClients(
  server: number | undefined,
  processes: Processes,
  say: (text: string) => void,
): Promise<readonly Clients[]> {
  const find = (): Promise<readonly Clients[]> => findClients(process.env.PATH ?? '');
  const present = await find();
  if (suitable(present, server)) {
    return present;
  }
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new NoClients(missing(present, server));
  }
  await installOnDebian(processes, say);
  const installed = await find();
  if (suitable(installed, server)) {
    return installed;
  }
  throw new NoClients(missing(installed, server));
}

function suitable(clients: readonly Clients[], server: number | undefined): boolean {
  return clients.some(({ major }) => major >= (server ?? 0));
}

async function installOnDebian(processes: Processes, say: (text: string) => void): Promise<void> {
  const steps = [['update'], ['install', '--yes', '--no-install-recommends', 'postgresql-client']];
  for (const step of steps) {
    say(`Installing the PostgreSQL client programs: apt-get ${step.join(' ')}`);
    const { child, ended } = processes.start('apt-get', step, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const how = await ended;
    if (how.kind !== 'exit' || how.status !== 0) {
      throw new NoClients(`apt-get ${step.join(' ')} failed: ${complaint.trim().slice(-1000)}`);
    }
  }
}

function missing(found: readonly Clients[], server: number | undefined): string {
  const advice = `Install them: ${installCommand()}`;
  if (found.length === 0) {
    return `The PostgreSQL client programs pg_dump and pg_restore are not on this machine. ${advice}`;
  }
  const versions = found.map(({ version, folder }) => `${version} in ${folder}`).join(', ');
  return (
    `The sample database is PostgreSQL ${server ?? ''}, and pg_dump must not be older, but there is only ${versions}. ` +
    `Install newer PostgreSQL client programs, or dump an older database of your own with --database.`
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
  return 'the package postgresql-client of your system, or https://www.postgresql.org/download/';
}
