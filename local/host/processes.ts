import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { constants } from 'node:os';
import { ownEnvironment } from './environment.ts';
import { signalledWithParent } from './parent-death.ts';
import { findProgram } from './search-path.ts';

const GRACE_SECONDS = 10;

/** The longest delay of a Node.js timer. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How a process ended. After a signal, the status is 128 plus the signal's number. */
export type ProcessEnd =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'timed out'; readonly status: number }
  | { readonly kind: 'not started'; readonly error: Error };

export interface Process {
  readonly child: ChildProcess;
  /** Resolves when the process has exited and all of its output has been read. */
  readonly ended: Promise<ProcessEnd>;
  /** Sends SIGTERM, and SIGKILL to the process group after the grace period. */
  readonly terminate: () => void;
}

export interface ProcessOptions extends SpawnOptions {
  /** The entire environment. @default - {@link ownEnvironment}, and not that of this process */
  readonly env?: NodeJS.ProcessEnv;
  /** Time after which the process is terminated. @default - unlimited */
  readonly timeoutSeconds?: number | undefined;
  /** Time between SIGTERM and SIGKILL. @default 10 */
  readonly graceSeconds?: number;
}

/**
 * The running child processes. Each leads its own process group: Ctrl-C in a terminal does not reach it, and whatever
 * it leaves running is killed when it exits, as in a container. When this process dies, the kernel kills them.
 */
export class Processes {
  readonly #running = new Map<ChildProcess, Process>();
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  /** @throws {Error} after {@link stop} */
  start(program: string, args: readonly string[], options: ProcessOptions): Process {
    if (this.#stopped) {
      throw new Error('The local run is stopping, and starts no more processes.');
    }
    const { timeoutSeconds = Infinity, graceSeconds = GRACE_SECONDS, ...spawnOptions } = options;
    const { env = ownEnvironment() } = options;
    // A program that does not exist must fail to start, and not start something else that then fails.
    const exists = findProgram(program, env.PATH) !== undefined;
    const [command, words] = exists ? signalledWithParent('KILL', program, args) : [program, args];
    const child = spawn(command, words, { ...spawnOptions, env, detached: true });
    let timedOut = false;
    const timeout = setTimeout(
      () => {
        timedOut = true;
        terminate(child, graceSeconds);
      },
      Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS),
    );
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.on('error', (error) => {
        clearTimeout(timeout);
        resolve({ kind: 'not started', error });
      });
      child.on('exit', () => {
        clearTimeout(timeout);
        killGroup(child);
      });
      child.on('close', (code, signal) => {
        const status = code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
        resolve({ kind: timedOut ? 'timed out' : 'exit', status });
      });
    });
    const process: Process = {
      child,
      ended,
      terminate: () => {
        terminate(child, graceSeconds);
      },
    };
    this.#running.set(child, process);
    void ended.then(() => this.#running.delete(child));
    return process;
  }

  /** Terminates all processes and waits until they have ended. None can be started afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const running = [...this.#running.values()];
    for (const { child } of running) {
      terminate(child, GRACE_SECONDS);
    }
    await Promise.all(running.map(({ ended }) => ended));
  }
}

/** Whether a process with this ID runs, of whatever user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function terminate(child: ChildProcess, graceSeconds: number): void {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    killGroup(child);
  }, graceSeconds * 1000);
  child.on('exit', () => {
    clearTimeout(timer);
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty.
  }
}
