import { chown, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../../failure.ts';
import type { ConnectionSettings } from '../../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT } from '../../postgres/connection/endpoint.ts';
import { type ChildOptions, start, wasStopped } from '../../process/child.ts';
import { serverAccount } from './account.ts';
import { createCluster, type DatabaseText, type LackingLocale, SUPERUSER } from './cluster.ts';
import type { ServerPrograms } from './programs.ts';
import { socketFolderFor } from './socket-folder.ts';

/** A server that is there for one drill. Only the owner of its folder, and root, can reach it. */
export interface ThrowawayServer {
  readonly target: ConnectionSettings;
  /** Why its database has another locale than the dump, if it has. */
  readonly lackingLocale: LackingLocale | undefined;
}

const READY = 'database system is ready to accept connections';

/** How a server is made. */
export interface ServerPlan {
  /** Folder in which that of the server is created, and removed. */
  readonly scratch: string;
  readonly programs: ServerPrograms;
  readonly text: DatabaseText;
  /** Its settings, with its socket in a folder. */
  readonly settingsIn: (socketFolder: string) => Readonly<Record<string, string>>;
  /** In the format of PATH. */
  readonly searchPath: string;
}

/**
 * Runs work with a server that ends with it, or with this program, however that ends.
 *
 * @throws {Failure} `refused` if the server does not start; `tryAgain` if it was stopped
 */
export async function withServer<T>(
  { scratch, programs, text, settingsIn, searchPath }: ServerPlan,
  signal: AbortSignal,
  work: (server: ThrowawayServer) => Promise<T>,
): Promise<T> {
  // Not in that of the dump: if it runs as another user, that must not be open to them.
  const folder = await mkdtemp(join(resolve(scratch), 'autodump-'));
  let socketFolder = folder;
  try {
    socketFolder = await socketFolderFor(folder);
    const account = await serverAccount();
    if (account !== undefined) {
      await chown(folder, account.uid, account.gid);
      await chown(socketFolder, account.uid, account.gid);
    }
    const stop = new AbortController();
    const options: ChildOptions = {
      environment: { PATH: searchPath, LC_ALL: 'C', TMPDIR: folder },
      account,
      // Immediate shutdown: unlike a smart one it waits for nobody, and unlike SIGKILL it leaves no shared memory.
      endSignal: 'SIGQUIT',
      signal: AbortSignal.any([signal, stop.signal]),
    };
    const data = join(folder, 'data');
    const lackingLocale = await createCluster(data, programs, text, options);
    const { ready, ended } = startServer(data, programs, settingsIn(socketFolder), options);
    try {
      await ready;
      const target = { host: socketFolder, port: DEFAULT_PORT, user: SUPERUSER, password: '', database: 'postgres' };
      return await work({ target: { ...target, sslMode: 'disable' }, lackingLocale });
    } finally {
      stop.abort();
      await ended;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(socketFolder, { recursive: true, force: true });
  }
}

interface Started {
  /** Rejects with a {@link Failure} if the server ends before. */
  readonly ready: Promise<void>;
  /** Settles when nothing of it runs any more; never rejects. */
  readonly ended: Promise<unknown>;
}

function startServer(
  data: string,
  { postgres }: ServerPrograms,
  settings: Readonly<Record<string, string>>,
  options: ChildOptions,
): Started {
  let onReady: () => void = () => undefined;
  const isReady = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { output, exit } = start(postgres, ['-D', data, ...args], {
    ...options,
    // What follows, such as the statements that it refuses, contains values.
    onErrorLine: (line) => {
      if (line.endsWith(READY)) {
        onReady();
      }
    },
  });
  output.resume();
  const failed = exit.then((end) => {
    const { signal, lastLines } = end;
    throw wasStopped(end)
      ? new Failure('tryAgain', `The server for the drill was ended by ${signal ?? 'a signal'} while it started.`)
      : new Failure('refused', `The server for the drill did not start: ${lastLines.at(-1) ?? 'it says nothing'}`);
  });
  return { ready: Promise.race([isReady, failed]), ended: exit.catch(() => undefined) };
}
