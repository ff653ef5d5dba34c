import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** How a child process ended: by itself with a status, or by a signal. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its standard error. */
  readonly complaints: readonly string[];
  /** Whether all of its input was handed over before it ended. */
  readonly tookAllInput: boolean;
}

export interface ChildOptions {
  /** The whole environment of the child; it sees nothing of ours. */
  readonly environment: NodeJS.ProcessEnv;
  /** For its standard input, which is empty otherwise. */
  readonly input?: AsyncIterable<Buffer> | readonly Buffer[];
  readonly signal: AbortSignal;
  /** Is given each line of its standard error as it comes. */
  readonly complained?: (line: string) => void;
}

const LAST_LINES = 40;
const LINE_LENGTH = 600;

/** Time for the child to end well after SIGTERM (pg_dump cancels its query); Batch gives us 30 s before it kills us. */
const GRACE_MS = 5_000;

/** What a stream says when the child on its other end is gone. */
const BROKEN_PIPE: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET', 'ECANCELED', 'ERR_STREAM_DESTROYED']);

/**
 * With this in front of a command the kernel kills the child when this process dies, even by SIGKILL. It takes the
 * `setpriv` of util-linux, so Linux; elsewhere a child outlives a SIGKILL of this process until its own end.
 */
const BINDING = ['setpriv', '--pdeathsig', 'KILL', '--'];

let canBind: boolean | undefined;

function bound(command: readonly string[]): readonly string[] {
  canBind ??= spawnSync('setpriv', [...BINDING.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
  return canBind ? [...BINDING, ...command] : command;
}

/**
 * Whether the child took all of it: every write went through. Whether the child still was there to be told of the end
 * does not matter, since one that has read all that it needs may be gone by then.
 *
 * @throws {Error} the error of the input itself
 */
async function feed(input: AsyncIterable<Buffer> | readonly Buffer[], stdin: Writable): Promise<boolean> {
  // Each failed write tells of the error as well.
  stdin.on('error', () => undefined);
  try {
    for await (const chunk of input) {
      await write(chunk, stdin);
    }
    return true;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && BROKEN_PIPE.has(error.code)) {
      return false;
    }
    throw error;
  } finally {
    stdin.end();
  }
}

function write(chunk: Buffer, stdin: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(chunk, (error) => {
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });
}

/** Signals a child and all that it has started. */
function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, name);
  } catch {
    // Nobody is left in the group.
  }
}

/** A program that was to be started. */
export interface Child {
  /** Whether it was; if not, `ended` says why. */
  readonly started: boolean;
  /** Its standard output, to be read to the end, or destroyed. */
  readonly output: Readable;
  /**
   * Settles when the child is gone, and all that it has started and that shares its standard error.
   *
   * @throws {Error} the signal's reason if it aborted, or the error of starting the program or of its input
   */
  readonly ended: Promise<Ended>;
}

/**
 * Starts a program without a shell. When the signal aborts, the child is ended. It leads a process group of its own, since
 * the workers of `pg_restore --jobs` are to end with it. So Ctrl-C in a terminal reaches this program alone, which has to
 * abort the signal then.
 */
export function start(program: string, args: readonly string[], options: ChildOptions): Child {
  options.signal.throwIfAborted();
  const [command = program, ...words] = bound([program, ...args]);
  const child = spawn(command, words, {
    env: options.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  return { started: child.pid !== undefined, output: child.stdout, ended: untilEnd(child, options) };
}

async function untilEnd(
  child: ChildProcessWithoutNullStreams,
  { input = [], signal, complained }: ChildOptions,
): Promise<Ended> {
  let killing: NodeJS.Timeout | undefined;
  const endGroup = () => {
    signalGroup(child, 'SIGTERM');
    killing ??= setTimeout(() => {
      signalGroup(child, 'SIGKILL');
    }, GRACE_MS);
  };
  const stop = () => {
    endGroup();
    // What nobody reads any more would keep the child from being gone.
    child.stdout.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  // Workers whose leader was killed would go on until their statements are through, with its standard error in hand.
  child.once('exit', endGroup);
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    const complaint = line.trim().slice(0, LINE_LENGTH);
    complained?.(complaint);
    complaints.push(complaint);
    complaints.splice(0, complaints.length - LAST_LINES);
  });
  try {
    const [fed, closed] = await Promise.allSettled([feed(input, child.stdin), once(child, 'close')]);
    signal.throwIfAborted();
    if (closed.status === 'rejected') {
      throw closed.reason;
    }
    if (fed.status === 'rejected') {
      throw fed.reason;
    }
    return { status: child.exitCode, signal: child.signalCode, complaints, tookAllInput: fed.value };
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killing);
  }
}

/** Runs a program to its end, without a shell and without what it writes to its standard output. Throws as `ended`. */
export async function run(program: string, args: readonly string[], options: ChildOptions): Promise<Ended> {
  const { output, ended } = start(program, args, options);
  output.resume();
  return ended;
}
