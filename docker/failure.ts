import { EXIT_STATUS } from '../contract.ts';

/** Why a run failed, as a closed set: it decides the exit status, and with it whether Batch tries again. */
export type FailureReason = Exclude<keyof typeof EXIT_STATUS, 'done'>;

/** A failure that was foreseen. Its message is whole sentences for the person who reads the log, without secrets. */
export class Failure extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.reason = reason;
  }
}

/** The signals that end a run from outside, with their numbers on every platform that we run on. */
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;

export type EndingSignal = keyof typeof SIGNAL_NUMBERS;

/** The run was told to end. Reason of the AbortSignal that every step of a run watches. */
export class Interrupted extends Error {
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super(`Ended by ${signal}. Nothing stays on the local disk, and no part of an upload.`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

/** Exit status of a run that ended with this error; 128 + number for a signal, as shells have it. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof Interrupted) {
    return 128 + SIGNAL_NUMBERS[error.signal];
  }
  return EXIT_STATUS[error instanceof Failure ? error.reason : 'internal'];
}

const MEANING: Readonly<Record<FailureReason, string>> = {
  misuse: 'called wrongly',
  badSecret: 'bad secret',
  verificationFailed: 'not proven',
  internal: 'internal fault',
  tryAgain: 'for a reason that may pass',
  refused: 'refused',
};

/** One line for the log. Only a fault of the program itself shows its stack. */
export function describe(error: unknown): string {
  if (error instanceof Interrupted) {
    return error.message;
  }
  if (error instanceof Failure) {
    return `AutoDump failed, ${MEANING[error.reason]} (exit status ${exitStatusOf(error)}): ${error.message}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `AutoDump failed, ${MEANING.internal} (exit status ${EXIT_STATUS.internal}): ${stack}`;
}
