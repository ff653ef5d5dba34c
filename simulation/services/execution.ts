import type { Purpose } from '../workload/random-tags.ts';
import type { Secret } from '../workload/secret-history.ts';

/** One attempt at a step of a run. */
export interface Attempt {
  readonly step: Step;
  readonly started: number;
  readonly ended: number;
  readonly ok: boolean;
  /** An injected fault made it fail: correct code would have failed, too. */
  readonly prevented: boolean;
  /** It failed because others came first, which may happen many times in a row. */
  readonly throttled: boolean;
  /** Why it failed: the reason of a job, or the name of the error. */
  readonly problem?: string;
}

/** `job`: the dump or the drill. */
export type Step = 'compare' | 'reschedule' | 'job';

export type ExecutionEnd =
  | { readonly status: 'SUCCEEDED' }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string }
  | { readonly status: 'ABORTED' }
  | { readonly status: 'TIMED_OUT' };

/** An execution of the state machine and its progress. Fields that are not `readonly` change while it runs. */
export interface Execution {
  readonly name: string;
  readonly secret: Secret;
  readonly purpose: Purpose;
  /** Scheduled time, milliseconds since 1970. */
  readonly when: number;
  /** JSON. */
  readonly input: string;
  readonly started: number;
  readonly attempts: Attempt[];
  /** The times at which Batch accepted its jobs. */
  readonly jobs: number[];
  /** How many jobs Batch accepted although its response was lost. */
  lostResponses: number;
  /** The result of comparing the tags. */
  outcome?: string;
  stopped?: number;
  end?: ExecutionEnd;
}

/** Names the run in the sites of faults. */
export function runSite({ secret, when, purpose }: Pick<Execution, 'secret' | 'when' | 'purpose'>): string {
  return `${secret.index}|${when}${purpose === 'drill' ? '|drill' : ''}`;
}

/** A run must survive fewer failures than this, not counting throttled calls. */
const LEAST_ATTEMPTS = 7;

/** A run must survive about an hour of throttled calls. */
const LEAST_THROTTLED_ATTEMPTS = 100;

/** Whether injected faults made every attempt at a step fail, and there were enough of them. */
export function prevented({ attempts }: Execution, step: Step): boolean {
  const tries = attempts.filter((attempt) => attempt.step === step);
  const throttled = tries.filter((attempt) => attempt.throttled).length;
  const wereEnough = tries.length - throttled >= LEAST_ATTEMPTS || throttled >= LEAST_THROTTLED_ATTEMPTS;
  return wereEnough && tries.every((attempt) => attempt.prevented);
}
