/**
 * What the deployed parts agree on: `lib` writes it into the template, `lambda` and `docker` read it at run time.
 * This file imports nothing, so that neither side can pull the other in.
 */

/** Tag that puts a secret on a schedule: five-field cron or an alias such as `@daily`. */
export const SCHEDULE_TAG = 'autodump:start-schedule';

/** Tag with the IANA name of the zone that the schedule's wall-clock time is in. */
export const TIMEZONE_TAG = 'autodump:timezone';

/** Tag, of any value, that lets a restore read the secret of the database to restore into. */
export const RESTORE_TARGET_TAG = 'autodump:restore-target';

/** The zone of a secret without {@link TIMEZONE_TAG}. */
export const DEFAULT_TIMEZONE = 'UTC';

/**
 * Input of an execution of the state machine. Executions wait for up to a year under the definition they were started
 * with, so a field may be added but never renamed, removed or given another meaning.
 */
export interface ExecutionInput {
  readonly secretArn: string;
  /** Hash of the tags that the execution was started for. */
  readonly tagsHash: string;
  /** Scheduled time, UTC, RFC 3339, whole seconds: `2026-11-22T08:00:00Z`. */
  readonly when: string;
}

/** What the Hash function found when the wait was over. Only `unchanged` lets the run go on. */
export interface Comparison {
  readonly outcome: 'unchanged' | 'changed' | 'removed' | 'gone';
  /** For the reader of the execution, a whole sentence. */
  readonly reason: string;
}

/** Input of the Reschedule function. The machine names itself, which spares the function a reference back to it. */
export interface RescheduleInput extends ExecutionInput {
  readonly stateMachineArn: string;
}

/** What the Reschedule function did. */
export interface Rescheduled {
  readonly outcome: 'started' | 'waiting' | 'closed' | 'later' | 'superseded';
  /** For the reader of the execution, a whole sentence. */
  readonly reason: string;
  /** The next scheduled time, in the form of {@link ExecutionInput.when}, where there is one. */
  readonly next?: string;
}

/** Environment of the Scanner function. */
export interface ScannerEnvironment {
  readonly STATE_MACHINE_ARN: string;
  /** Bucket of the Scanner's own, where it keeps what it knows to be started. */
  readonly MEMO_BUCKET: string;
}

/** Environment of the dump program. */
export interface DumpEnvironment {
  /** The secret that describes the database. Its ARN also says which Region the services are called in. */
  readonly AUTODUMP_SECRET_ARN: string;
  /** Scheduled time, in the form of {@link ExecutionInput.when}; part of the dump's key. */
  readonly AUTODUMP_WHEN: string;
  /** ARN of the execution, for the manifest. */
  readonly AUTODUMP_EXECUTION: string;
  /** Comma-separated names of the buckets that a dump may go to; the first serves secrets that name none. */
  readonly AUTODUMP_BUCKETS: string;
  /** Name of both job definition and job queue of restores, for the manifest. */
  readonly AUTODUMP_RESTORE_JOB: string;
  /** Writable folder on local disk, for the dump while it is made. */
  readonly TMPDIR: string;
}

/** Environment of the same program when it restores; dump and database are given as arguments. */
export interface RestoreEnvironment {
  /** Writable folder on local disk, for the dump while it is restored. */
  readonly TMPDIR: string;
}

/** Exit status of the dump program. Batch tries again after `tryAgain` and after nothing else. */
export const EXIT_STATUS = {
  done: 0,
  /** Called with an environment or arguments that make no sense. */
  misuse: 64,
  /** The secret's value lacks fields or has odd ones. */
  badSecret: 65,
  /** The archive is not whole: never committed. */
  verificationFailed: 69,
  /** A fault of the program itself. */
  internal: 70,
  /** Worth another try: database or S3 out of reach, lock timeout, storage pressure. */
  tryAgain: 75,
  /** The database or AWS said no. */
  refused: 77,
} as const;
