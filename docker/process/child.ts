import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { readLines } from './lines.ts';

/** How a child process ended: with a status, or by a signal. */
export interface ChildExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Of its standard error. */
  readonly lastLines: readonly string[];
  /** Whether it accepted all of its input before it ended. */
  readonly tookAllInput: boolean;
}

/** Signals by which the platform or an operator ends a process. The others mean that it crashed. */
const FROM_OUTSIDE: ReadonlySet<unknown> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** Whether the child was ended from outside, and may succeed in another attempt. */
export function wasStopped({ signal }: ChildExit): boolean {
  return FROM_OUTSIDE.has(signal);
}

export interface ChildOptions {
  /** The child's entire environment: it inherits nothing. */
  readonly environment: NodeJS.ProcessEnv;
  /** Its standard input; empty by default. */
  readonly input?: AsyncIterable<Buffer> | readonly Buffer[];
  readonly signal: AbortSignal;
  /** Called with each line of its standard error. */
  readonly onErrorLine?: (line: string) => void;
  /**
   * What is kept of a line of its standard error, if anything.
   *
   * @default - every line
   */
  readonly kept?: (line: string) => string | undefined;
  /** Takes its standard output, which is then not in {@link Child.output}. */
  readonly stdout?: Socket;
  /**
   * Whom it runs as, in the root folder, as the current one may be closed to them.
   *
   * @default - the user of this process
   */
  readonly account?: Account | undefined;
  /**
   * What asks it to end.
   *
   * @default SIGTERM
   */
  readonly endSignal?: NodeJS.Signals;
}

/** A user of this machine, and their group. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Lines of standard error that are kept, and characters that are kept of each. */
const LAST_LINES = 40;
const LINE_LENGTH = 600;

/** Time from SIGTERM, at which pg_dump cancels its query, to SIGKILL. Batch gives this program 30 s in all. */
const GRACE_MS = 5_000;

/** Errors of writing to a child that has exited. */
const BROKEN_PIPE: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET', 'ECANCELED', 'ERR_STREAM_DESTROYED']);

/**
 * Prefix of a command that makes the kernel kill the child when this process dies, even by SIGKILL. It requires
 * util-linux, and so Linux; elsewhere a child survives a SIGKILL of this process.
 */
const KILL_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL', '--'];

let hasSetpriv: boolean | undefined;

function killedWithParent(command: readonly string[]): readonly string[] {
  hasSetpriv ??= spawnSync('setpriv', [...KILL_WITH_PARENT.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
  return hasSetpriv ? [...KILL_WITH_PARENT, ...command] : command;
}

/**
 * Writes the input to the child.
 *
 * @returns whether every write succeeded. Closing the stream may fail, since a child that has read all it needs may
 * exit before
 * @throws {Error} the error of the input itself
 */
async function feed(input: AsyncIterable<Buffer> | readonly Buffer[], stdin: Writable): Promise<boolean> {
  // Each failed write reports the error as well.
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

/** Signals a child and its descendants. */
function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, name);
  } catch {
    // The group is empty.
  }
}

export interface Child {
  /** Undefined if the program could not be started; then `exit` rejects with the reason. */
  readonly pid: number | undefined;
  /** Its standard output, which must be read to the end or destroyed. Empty if a socket takes that instead. */
  readonly output: Readable;
  /**
   * Settles when the child has exited, and so have the descendants that share its standard error. Rejects with the
   * signal's reason if that has aborted, or with the error of starting the program or of its input.
   */
  readonly exit: Promise<ChildExit>;
}

/**
 * Starts a program without a shell, and terminates it when the signal aborts. The child leads its own process group, so
 * that the workers of `pg_restore --jobs` are terminated with it. Ctrl-C in a terminal therefore reaches only this
 * program, which must abort the signal.
 */
export function start(program: string, args: readonly string[], options: ChildOptions): Child {
  options.signal.throwIfAborted();
  const [command = program, ...words] = killedWithParent([program, ...args]);
  const child = spawn(command, words, {
    env: options.environment,
    stdio: ['pipe', options.stdout ?? 'pipe', 'pipe'],
    detached: true,
    ...(options.account && { ...options.account, cwd: '/' }),
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stderr === null) {
    throw new Error(`${program} was started without pipes.`);
  }
  const output = stdout ?? Readable.from([]);
  return { pid: child.pid, output, exit: exitOf(child, { stdin, output, stderr }, options) };
}

interface Streams {
  readonly stdin: Writable;
  readonly output: Readable;
  readonly stderr: Readable;
}

async function exitOf(
  child: ChildProcess,
  { stdin, output, stderr }: Streams,
  { input = [], signal, onErrorLine, kept = (line) => line, endSignal = 'SIGTERM' }: ChildOptions,
): Promise<ChildExit> {
  let killing: NodeJS.Timeout | undefined;
  const terminate = () => {
    signalGroup(child, endSignal);
    // One that was stopped takes the signal when it continues.
    signalGroup(child, 'SIGCONT');
    killing ??= setTimeout(() => {
      signalGroup(child, 'SIGKILL');
    }, GRACE_MS);
  };
  const stop = () => {
    terminate();
    // Output that is no longer read would keep the child from closing.
    output.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  // Workers whose leader was killed would finish their statements first, holding its standard error open.
  child.once('exit', terminate);
  const lastLines: string[] = [];
  readLines(stderr, LINE_LENGTH, (text) => {
    const line = text.trim();
    onErrorLine?.(line);
    lastLines.push(...[kept(line)].filter((each) => each !== undefined));
    lastLines.splice(0, lastLines.length - LAST_LINES);
  });
  try {
    const [fed, closed] = await Promise.allSettled([feed(input, stdin), once(child, 'close')]);
    signal.throwIfAborted();
    if (closed.status === 'rejected') {
      throw closed.reason;
    }
    if (fed.status === 'rejected') {
      throw fed.reason;
    }
    return { status: child.exitCode, signal: child.signalCode, lastLines, tookAllInput: fed.value };
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killing);
  }
}

/**
 * Runs a program to its end, discarding its standard output.
 *
 * @throws {Error} as the `exit` of {@link start} rejects
 */
export async function run(program: string, args: readonly string[], options: ChildOptions): Promise<ChildExit> {
  const { output, exit } = start(program, args, options);
  output.resume();
  return exit;
}
