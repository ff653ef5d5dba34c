import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Span } from '../workload/secret-history.ts';
import type { CheckedSecret, CheckedSecrets } from './checked-secrets.ts';
import { dueAfter, type Interval } from './intervals.ts';
import { LATEST_START, LONGEST_WAIT, MARGIN } from './limits.ts';
import { judgeMissedDump } from './missed-dump.ts';
import type { Scans } from './scans.ts';
import type { Violations } from './violations.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Checks by the clock that each scheduled time gets its dump or drill, and that the next run of each secret waits. */
export class ScheduleChecks {
  /** For how many scheduled times a job was due and started; of the others, why no stack could have started it. */
  readonly figures = { due: 0, started: 0, excused: new Map<string, number>() };
  readonly #secrets: CheckedSecrets;
  readonly #clock: Clock;
  readonly #period: number;
  readonly #scans: Scans;
  readonly #violations: Violations;

  /** @param period of the scans, in milliseconds */
  constructor(
    secrets: CheckedSecrets,
    clock: Clock,
    { period, span }: { readonly period: number; readonly span: Span },
    scans: Scans,
    violations: Violations,
  ) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#period = period;
    this.#scans = scans;
    this.#violations = violations;
    for (const checked of secrets.all()) {
      for (const interval of checked.intervals) {
        this.#scheduleDueCheck(checked, interval, 0);
      }
    }
    this.#scheduleWaitingChecks(span);
  }

  #scheduleDueCheck(checked: CheckedSecret, interval: Interval, position: number): void {
    const due = interval.due[position];
    if (due === undefined) {
      return;
    }
    this.#clock.at(due + LATEST_START, () => {
      if (due >= interval.from) {
        this.#checkDue(checked, interval, due, interval.due[position - 1]);
      }
      this.#scheduleDueCheck(checked, interval, position + 1);
    });
  }

  /** Checks that a scheduled time had its dump, or that nothing could have started it. */
  #checkDue(
    { secret, purpose, executions }: CheckedSecret,
    interval: Interval,
    due: number,
    previous: number | undefined,
  ): void {
    const previousRuns = executions.get(previous ?? NaN) ?? [];
    for (const when of executions.keys()) {
      if (when < due - 2 * LATEST_START) {
        executions.delete(when);
      }
    }
    if (due - interval.from <= this.#period + MARGIN || interval.to <= due + LATEST_START) {
      return;
    }
    this.figures.due += 1;
    const runs = executions.get(due) ?? [];
    if (runs.some(({ jobs }) => jobs.length > 0)) {
      this.figures.started += 1;
      return;
    }
    const missed = { secret, interval, due, previous, previousRuns, runs };
    const verdict = judgeMissedDump(missed, this.#scans, this.#period);
    if (verdict.kind === 'violation') {
      this.#violations.report('one dump', secret, `No ${purpose} was started for ${iso(due)}: ${verdict.reason}.`);
    } else {
      this.figures.excused.set(verdict.reason, (this.figures.excused.get(verdict.reason) ?? 0) + 1);
    }
  }

  /**
   * Checks every hour that each secret on a schedule has its next run waiting, or that a scan began within a period.
   */
  #scheduleWaitingChecks(span: Span): void {
    const check = (): void => {
      const now = this.#clock.now;
      const since = now - this.#period - MARGIN;
      if (span.from < since && !this.#scans.hasBegun(since, now)) {
        for (const checked of this.#secrets.all()) {
          this.#checkWaiting(checked, now, since);
        }
      }
      if (now < span.to) {
        this.#clock.at(now + HOUR, check);
      }
    };
    this.#clock.at(span.from + HOUR, check);
  }

  #checkWaiting({ secret, purpose, intervals, executions }: CheckedSecret, now: number, since: number): void {
    const interval = intervals.find(({ from, to }) => from <= since && to > now);
    const next = interval && dueAfter(interval, now + MINUTE);
    if (next === undefined || next - now > LONGEST_WAIT) {
      return;
    }
    if (!(executions.get(next) ?? []).some(({ end }) => end === undefined)) {
      const message = `Nothing waits for the ${purpose} of ${iso(next)}, and no scan began within a scan period.`;
      this.#violations.report('always served', secret, message);
    }
  }
}
