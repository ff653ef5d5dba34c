import type { Secret } from '../workload/secret-history.ts';

/** One try of a step of a run. */
export interface Attempt {
  readonly step: Step;
  readonly started: number;
  readonly ended: number;
  readonly ok: boolean;
  /** The world kept it from working: code that works well would have failed as well. */
  readonly prevented: boolean;
}

export type Step = 'compare' | 'reschedule' | 'dump';

export type ExecutionEnd =
  | { readonly status: 'SUCCEEDED' }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string }
  | { readonly status: 'ABORTED' };

/** One execution of the state machine, with what came of it so far. What is not `readonly` changes while it runs. */
export interface Execution {
  readonly name: string;
  readonly secret: Secret;
  /** Scheduled time, milliseconds since 1970. */
  readonly when: number;
  /** JSON. */
  readonly input: string;
  readonly started: number;
  readonly attempts: Attempt[];
  /** Jobs that Batch took on, by the time of it. */
  readonly jobs: number[];
  /** Jobs that Batch took on without its answer getting through. */
  lostAnswers: number;
  /** Outcome of the comparison of tags. */
  outcome?: string;
  stopped?: number;
  end?: ExecutionEnd;
}

/** What goes wrong less often in a row, a run has to get over. */
const LEAST_TRIES = 7;

/** Whether the world kept a step from working, every time that it was tried. */
export function prevented({ attempts }: Execution, step: Step): boolean {
  const tried = attempts.filter((attempt) => attempt.step === step);
  return tried.length >= LEAST_TRIES && tried.every((attempt) => attempt.prevented);
}
