import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Attempt, Execution } from '../services/execution.ts';
import type { SubmittedJob } from '../services/step-functions/steps.ts';
import type { CheckedSecret, CheckedSecrets } from './checked-secrets.ts';
import { lastAttempt, problemsOfEnd } from './execution-end.ts';
import { dueAfter } from './intervals.ts';
import { LATEST_END, LATEST_WAIT, LONGEST_WAIT } from './limits.ts';
import type { Violations } from './violations.ts';

/** Checks executions when they start, submit a job and end. */
export class ExecutionChecks {
  readonly #secrets: CheckedSecrets;
  readonly #clock: Clock;
  readonly #violations: Violations;
  readonly figures = { dumped: 0, drilled: 0, overlapping: 0 };
  /** The executions whose job was started and that have not ended. */
  readonly #running = new Map<CheckedSecret, Set<Execution>>();

  constructor(secrets: CheckedSecrets, clock: Clock, violations: Violations) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#violations = violations;
  }

  onStarted(execution: Execution): void {
    const { secret, purpose, when } = execution;
    if (when - this.#clock.now > LATEST_WAIT) {
      this.#violations.report(
        'true ends',
        secret,
        `An execution was started for the ${purpose} of ${iso(when)}, too far ahead to end within a year.`,
      );
    }
    const { executions } = this.#secrets.of(execution);
    const same = executions.get(when);
    if (same === undefined) {
      executions.set(when, [execution]);
    } else {
      same.push(execution);
    }
    this.#clock.at(when + LATEST_END, () => {
      if (execution.end === undefined) {
        this.#violations.report('true ends', secret, `The execution for ${iso(when)} had not ended three days later.`);
      }
    });
  }

  /**
   * A job was accepted: it must know its secret and time, must not start before that time or a second time, and the
   * time must be one of the tags that existed when they were last compared. It must be the job of its purpose.
   */
  onSubmitted(execution: Execution, { definition, variables }: SubmittedJob): void {
    const { secret, purpose, when } = execution;
    const checked = this.#secrets.of(execution);
    const running = this.#running.get(checked) ?? new Set();
    this.#running.set(checked, running);
    if (!running.has(execution) && running.size > 0) {
      this.figures.overlapping += 1;
    }
    running.add(execution);
    const violate = (message: string): void => {
      this.#violations.report('no other dump', secret, message);
    };
    if (this.#clock.now < when) {
      violate(`The ${purpose} for ${iso(when)} was started too early.`);
    }
    if (variables.AUTODUMP_SECRET_ARN !== secret.arn || variables.AUTODUMP_WHEN !== iso(when)) {
      violate(`The job for ${iso(when)} was not passed its secret and time.`);
    }
    if (!definition.endsWith(`-${purpose}`) && !/:\d+$/.test(definition)) {
      violate(`The job ${definition} was started for the ${purpose} of ${iso(when)}.`);
    }
    if (!this.#isScheduled(execution)) {
      violate(`A ${purpose} was started for ${iso(when)}, which no tags of that time schedule.`);
    }
    // Executions from long ago are dropped, so the current one may be the only one known.
    const same = new Set([...(checked.executions.get(when) ?? []), execution]);
    const started = [...same].reduce((sum, { jobs, lostResponses }) => sum + jobs.length - lostResponses, 0);
    if (started > 1) {
      violate(`${started} ${purpose}s were started for ${iso(when)}.`);
    }
  }

  /** Whether its time is one of the tags that existed when they were last compared. */
  #isScheduled(execution: Execution): boolean {
    const { when, attempts } = execution;
    const compared = attempts.findLast(({ step, ok }) => step === 'compare' && ok);
    return (
      compared !== undefined &&
      this.#secrets
        .of(execution)
        .intervals.some(
          (interval) =>
            interval.from <= compared.ended && interval.to > compared.started && dueAfter(interval, when - 1) === when,
        )
    );
  }

  /** An execution ended. One that an operator stopped is not checked. */
  onEnded(execution: Execution): void {
    const { secret, purpose, when, stopped, end } = execution;
    this.#running.get(this.#secrets.of(execution))?.delete(execution);
    if (lastAttempt(execution, 'job')?.ok === true) {
      this.figures[purpose === 'dump' ? 'dumped' : 'drilled'] += 1;
    }
    if (stopped !== undefined || end === undefined) {
      return;
    }
    for (const problem of problemsOfEnd(execution)) {
      const ended = `The execution for the ${purpose} of ${iso(when)} ended as ${JSON.stringify(end)}`;
      this.#violations.report('true ends', secret, `${ended}: ${problem}`);
    }
    const reschedule = lastAttempt(execution, 'reschedule');
    if (reschedule?.ok === true) {
      this.#checkRescheduled(execution, reschedule);
    }
  }

  /** After a successful Reschedule the next run must wait. */
  #checkRescheduled(execution: Execution, { started, ended }: Attempt): void {
    const { secret, purpose, when } = execution;
    const { intervals, executions } = this.#secrets.of(execution);
    const interval = intervals.find(({ from, to }) => from <= started && to > ended);
    const next = interval && dueAfter(interval, Math.max(when, started));
    if (next === undefined || next <= this.#clock.now || next - started > LONGEST_WAIT) {
      return;
    }
    if (!executions.has(next)) {
      const message = `Nothing waits for the ${purpose} of ${iso(next)} after the Reschedule of ${iso(when)}.`;
      this.#violations.report('always served', secret, message);
    }
  }
}
