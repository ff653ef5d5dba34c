import { EXIT_STATUS, FAILURE_PREFIX } from '../contract.ts';

/** Why a run failed. Determines the exit status, and so whether Batch retries. */
export type FailureReason = Exclude<keyof typeof EXIT_STATUS, 'done'>;

/** An expected failure. Its message is written in full sentences for the reader of the log, and contains no secret. */
export class Failure extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.reason = reason;
  }
}

/**
 * The exit statuses for the signals that end a run from outside. SIGTERM comes from the platform: the host is retired,
 * or the job reached its timeout or was terminated. Only the first deserves another try, and Batch gives one only to
 * that: it never retries a job that it ended itself. The others come from a terminal, and are 128 + number, like in a
 * shell.
 */
const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: EXIT_STATUS.tryAgain } as const;

/** That of a program that SIGPIPE ends: the reader of its output has gone. */
const SIGPIPE_STATUS = 141;

export type EndingSignal = keyof typeof SIGNAL_STATUS;

/** The run was ended by a signal. The reason of the AbortSignal that every step of a run watches. */
export class Interrupted extends Error {
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super(`Ended by ${signal}. The local disk was cleaned up, and no upload was left open.`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

/** Standard output or standard error cannot be written. Reason of the same AbortSignal. */
export class OutputLost extends Failure {
  readonly isPipe: boolean;

  constructor(error: Error) {
    super('tryAgain', `The output cannot be written: ${error.message}`, { cause: error });
    this.name = 'OutputLost';
    this.isPipe = 'code' in error && error.code === 'EPIPE';
  }
}

/** Exit status for an error. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof OutputLost && error.isPipe) {
    return SIGPIPE_STATUS;
  }
  if (error instanceof Interrupted) {
    return SIGNAL_STATUS[error.signal];
  }
  return EXIT_STATUS[error instanceof Failure ? error.reason : 'internal'];
}

const SUMMARY: Readonly<Record<FailureReason, string>> = {
  misuse: 'invalid call',
  badSecret: 'bad secret',
  verificationFailed: 'verification failed',
  internal: 'internal error',
  tryAgain: 'temporary failure',
  refused: 'refused',
};

/** `refused (exit status 77): …` */
export function inWords(failure: Failure): string {
  return `${SUMMARY[failure.reason]} (exit status ${exitStatusOf(failure)}): ${failure.message}`;
}

/** The message for the log. Only an internal error shows its stack. */
export function describe(error: unknown): string {
  if (error instanceof Interrupted) {
    return error.message;
  }
  if (error instanceof Failure) {
    return `${FAILURE_PREFIX}${inWords(error)}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${FAILURE_PREFIX}${SUMMARY.internal} (exit status ${EXIT_STATUS.internal}): ${stack}`;
}
