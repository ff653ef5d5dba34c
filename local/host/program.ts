import { constants } from 'node:os';
import { forgetCallersEnvironment } from './environment.ts';
import { removeLeftovers } from './leftovers.ts';
import { flushOutput } from './output.ts';
import { Processes } from './processes.ts';
import { checkTemporaryFolder } from './temporary-folder.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A signal ended the program, or the reader of its output has gone, which shells report as SIGPIPE. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: (typeof SIGNALS)[number] | 'SIGPIPE';

  constructor(signal: Interrupted['signal']) {
    super(`Interrupted by ${signal}. Everything was stopped, and nothing incomplete was left behind.`);
    this.signal = signal;
  }

  /** Exit status: 128 plus the number of the signal. */
  get status(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** The output cannot be written. An error of the operating system, like that which it names. */
export class OutputLost extends Error {
  override readonly name = 'OutputLost';
  readonly syscall = 'write';

  constructor(error: Error) {
    super(`The output cannot be written: ${error.message}`, { cause: error });
  }
}

/** Functions that undo what was done to this machine, in the order in which it was done. */
export type Cleanups = (() => Promise<void> | void)[];

export interface Program {
  /** Aborts when the program is to end early, with the reason. The work must settle soon afterwards. */
  readonly signal: AbortSignal;
  /** Stopped when the signal aborts, and at the end. */
  readonly processes: Processes;
  /** Run in reverse order when the work has settled. */
  readonly cleanups: Cleanups;
}

/** What follows the cleanup. Each reports what it is given, and returns the exit status. */
export interface Ends<T> {
  readonly succeeded: (result: T) => number;
  readonly failed: (error: unknown) => number;
}

/**
 * Runs a program and exits. It has one end, whether its work succeeds or fails, a signal arrives, its output is lost,
 * or nobody catches an error: child processes are stopped, the cleanups run, the end is reported, the output is
 * flushed. Further signals change nothing. Files that the program creates can be read by no other user.
 */
export async function runProgram<T>(work: (program: Program) => Promise<T>, ends: Ends<T>): Promise<never> {
  process.umask(0o077);
  forgetCallersEnvironment();
  const signal = abortedByAnyEnd();
  const processes = new Processes();
  signal.addEventListener('abort', () => void processes.stop());
  const cleanups: Cleanups = [];
  const [result] = await Promise.allSettled([
    prepareTemporaryFolder().then(() => work({ signal, processes, cleanups })),
  ]);
  const [cleanupFailure] = await cleanUp([...cleanups, () => processes.stop()]);
  const outcome = (): number => {
    if (signal.aborted) {
      return ends.failed(signal.reason);
    }
    if (result.status === 'rejected') {
      return ends.failed(result.reason);
    }
    return cleanupFailure === undefined ? ends.succeeded(result.value) : ends.failed(cleanupFailure);
  };
  const wasAborted = signal.aborted;
  let status = outcome();
  await flushOutput(signal);
  // By now its output may have been lost.
  if (signal.aborted && !wasAborted) {
    status = outcome();
    await flushOutput(signal);
  }
  process.exit(status);
}

async function prepareTemporaryFolder(): Promise<void> {
  await checkTemporaryFolder();
  await removeLeftovers((line) => process.stderr.write(`${line}\n`));
}

function abortedByAnyEnd(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      controller.abort(new Interrupted(signal));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      controller.abort(error.code === 'EPIPE' ? new Interrupted('SIGPIPE') : new OutputLost(error));
    });
  }
  process.on('uncaughtException', (error) => {
    controller.abort(error);
  });
  return controller.signal;
}

/** Runs all cleanups in reverse order, even if some fail, and reports those. @returns the failures */
async function cleanUp(cleanups: Cleanups): Promise<readonly Error[]> {
  const failures: Error[] = [];
  for (const cleanup of cleanups.toReversed()) {
    try {
      await cleanup();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      process.stderr.write(`Cleanup failed: ${failure.message}\n`);
      failures.push(failure);
    }
  }
  return failures;
}

/**
 * Waits for work that cannot be aborted, but no longer than until the signal aborts.
 *
 * @throws {Error} the reason of the signal, if it aborts
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    };
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
