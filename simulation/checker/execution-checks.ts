import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Attempt, Execution } from '../services/execution.ts';
import type { Secret } from '../workload/secret-history.ts';
import type { CheckedSecrets } from './checked-secrets.ts';
import { lastAttempt, problemsOfEnd } from './execution-end.ts';
import { dueAfter } from './intervals.ts';
import { LATEST_END, LATEST_WAIT, LONGEST_WAIT } from './limits.ts';
import type { Violations } from './violations.ts';

/** Checks executions when they start, submit a job and end. */
export class ExecutionChecks {
  readonly #secrets: CheckedSecrets;
  readonly #clock: Clock;
  readonly #violations: Violations;
  readonly figures = { dumped: 0, overlapping: 0 };
  /** The executions whose dump was started and that have not ended. */
  readonly #dumping = new Map<Secret, Set<Execution>>();

  constructor(secrets: CheckedSecrets, clock: Clock, violations: Violations) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#violations = violations;
  }

  onStarted(execution: Execution): void {
    const { secret, when } = execution;
    if (when - this.#clock.now > LATEST_WAIT) {
      this.#violations.report(
        'true ends',
        secret,
        `An execution was started for ${iso(when)}, too far ahead to end within a year.`,
      );
    }
    const { executions } = this.#secrets.of(secret);
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
   * time must be one of the tags that existed when they were last compared.
   *
   * @param variables the job's environment variables
   */
  onSubmitted(execution: Execution, variables: Readonly<Record<string, string>>): void {
    const { secret, when } = execution;
    const dumping = this.#dumping.get(secret) ?? new Set();
    this.#dumping.set(secret, dumping);
    if (!dumping.has(execution) && dumping.size > 0) {
      this.figures.overlapping += 1;
    }
    dumping.add(execution);
    const violate = (message: string): void => {
      this.#violations.report('no other dump', secret, message);
    };
    if (this.#clock.now < when) {
      violate(`The dump for ${iso(when)} was started too early.`);
    }
    if (variables.AUTODUMP_SECRET_ARN !== secret.arn || variables.AUTODUMP_WHEN !== iso(when)) {
      violate(`The job for ${iso(when)} was not passed its secret and time.`);
    }
    if (!this.#isScheduled(execution)) {
      violate(`A dump was started for ${iso(when)}, which no tags of that time schedule.`);
    }
    // Executions from long ago are dropped, so the current one may be the only one known.
    const same = new Set([...(this.#secrets.of(secret).executions.get(when) ?? []), execution]);
    const started = [...same].reduce((sum, { jobs, lostResponses }) => sum + jobs.length - lostResponses, 0);
    if (started > 1) {
      violate(`${started} dumps were started for ${iso(when)}.`);
    }
  }

  /** Whether its time is one of the tags that existed when they were last compared. */
  #isScheduled({ secret, when, attempts }: Execution): boolean {
    const compared = attempts.findLast(({ step, ok }) => step === 'compare' && ok);
    return (
      compared !== undefined &&
      this.#secrets
        .of(secret)
        .intervals.some(
          (interval) =>
            interval.from <= compared.ended && interval.to > compared.started && dueAfter(interval, when - 1) === when,
        )
    );
  }

  /** An execution ended. One that an operator stopped is not checked. */
  onEnded(execution: Execution): void {
    const { secret, when, stopped, end } = execution;
    this.#dumping.get(secret)?.delete(execution);
    if (lastAttempt(execution, 'dump')?.ok === true) {
      this.figures.dumped += 1;
    }
    if (stopped !== undefined || end === undefined) {
      return;
    }
    for (const problem of problemsOfEnd(execution)) {
      const ended = `The execution for ${iso(when)} ended as ${JSON.stringify(end)}`;
      this.#violations.report('true ends', secret, `${ended}: ${problem}`);
    }
    const reschedule = lastAttempt(execution, 'reschedule');
    if (reschedule?.ok === true) {
      this.#checkRescheduled(execution, reschedule);
    }
  }

  /** After a successful Reschedule the next run must wait. */
  #checkRescheduled({ secret, when }: Execution, { started, ended }: Attempt): void {
    const { intervals, executions } = this.#secrets.of(secret);
    const interval = intervals.find(({ from, to }) => from <= started && to > ended);
    const next = interval && dueAfter(interval, Math.max(when, started));
    if (next === undefined || next <= this.#clock.now || next - started > LONGEST_WAIT) {
      return;
    }
    if (!executions.has(next)) {
      const message = `Nothing waits for ${iso(next)} after the Reschedule of ${iso(when)}.`;
      this.#violations.report('always served', secret, message);
    }
  }
}
