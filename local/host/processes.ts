import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { constants } from 'node:os';

const GRACE_SECONDS = 10;

/** A timer can't run for longer. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How a process ended; the status is 128 and the number of the signal for one ended by a signal. */
export type ProcessEnd =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'timed out'; readonly status: number }
  | { readonly kind: 'not started'; readonly error: Error };

export interface Process {
  readonly child: ChildProcess;
  /** Comes when all output has been read. */
  readonly ended: Promise<ProcessEnd>;
  /** Ends it as at the end of its time. */
  readonly end: () => void;
}

export interface ProcessOptions extends SpawnOptions {
  /** After this time the process is asked to end. */
  readonly timeoutSeconds?: number | undefined;
  /** And after this time more it is ended, with all that it started. @default 10 */
  readonly graceSeconds?: number;
}

/**
 * The processes under way. Each runs in a process group of its own, so that Ctrl-C in a terminal does not reach
 * it, and what it leaves running ends with it, as in a container.
 */
export class Processes {
  readonly #running = new Map<ChildProcess, Process>();
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  start(program: string, args: readonly string[], options: ProcessOptions): Process {
    if (this.#stopped) {
      throw new Error('All is ending, and nothing is started any more.');
    }
    const { timeoutSeconds = Infinity, graceSeconds = GRACE_SECONDS, ...spawnOptions } = options;
    const child = spawn(program, args, { ...spawnOptions, detached: true });
    let timedOut = false;
    const timeout = setTimeout(
      () => {
        timedOut = true;
        end(child, graceSeconds);
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
      end: () => {
        end(child, graceSeconds);
      },
    };
    this.#running.set(child, process);
    void ended.then(() => this.#running.delete(child));
    return process;
  }

  /** Ends all; none is started any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const running = [...this.#running.values()];
    for (const { child } of running) {
      end(child, GRACE_SECONDS);
    }
    await Promise.all(running.map(({ ended }) => ended));
  }
}

function end(child: ChildProcess, graceSeconds: number): void {
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
    // Nobody is left in the group.
  }
}
