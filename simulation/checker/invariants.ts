import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Attempt, Execution } from '../services/execution.ts';
import type { Invocation, Result } from '../services/lambda-function.ts';
import { type Secret, type Span, stateAt } from '../workload/secret-history.ts';
import { type Interval, intervalsOf } from './intervals.ts';
import { excuseOf, MARGIN } from './missed-dump.ts';
import { type Scan, Scans } from './scans.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** All retries of comparing (seven attempts of half a minute) and submitting are over by then. */
const LATEST_START = 20 * MINUTE;

/** A job overruns by thirty hours at most. */
const LATEST_END = 3 * DAY;

/** Runs further away are left to later scans, since Step Functions ends an execution after a year. */
const LONGEST_WAIT = 363 * DAY;
const LONGEST_EXECUTION = 365 * DAY;

export interface Violation {
  readonly rule: 'one dump' | 'no other dump' | 'true ends' | 'always served';
  readonly time: number;
  readonly secret: number | undefined;
  readonly what: string;
}

type Time = Pick<Scan, 'started' | 'ended'>;

interface Watched {
  readonly secret: Secret;
  readonly intervals: readonly Interval[];
  /** By scheduled time; those that nothing can come of any more are dropped. */
  readonly executions: Map<number, Execution[]>;
}

/** Watches the world, and says where what happens is not what the design promises. */
export class Rules {
  readonly violations: Violation[] = [];
  /** How many scheduled times were owed a dump, and of those without one, what excuses it. */
  readonly figures = { due: 0, dumped: 0, excused: new Map<string, number>() };
  readonly #clock: Clock;
  readonly #period: number;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly scans = new Scans();

  constructor(secrets: readonly Secret[], clock: Clock, period: number, span: Span) {
    this.#clock = clock;
    this.#period = period;
    this.#watched = new Map(
      secrets.map((secret) => [secret.arn, { secret, intervals: intervalsOf(secret, span), executions: new Map() }]),
    );
    for (const watched of this.#watched.values()) {
      for (const interval of watched.intervals) {
        this.#watchDue(watched, interval, 0);
      }
    }
    this.#watchServed(span);
  }

  started(execution: Execution): void {
    const { secret, when } = execution;
    if (when - this.#clock.now > LONGEST_EXECUTION) {
      this.#violated('true ends', secret, `An execution was started for ${iso(when)}, more than a year away.`);
    }
    const { executions } = this.#of(secret);
    const same = executions.get(when);
    if (same === undefined) {
      executions.set(when, [execution]);
    } else {
      same.push(execution);
    }
    this.#clock.at(when + LATEST_END, () => {
      if (execution.end === undefined) {
        this.#violated('true ends', secret, `The execution for ${iso(when)} has not ended three days later.`);
      }
    });
  }

  /**
   * A job was accepted: not before a scheduled time of tags that were there when they were last compared, and once; and
   * it knows its secret and time.
   */
  submitted(execution: Execution, told: readonly string[]): void {
    const { secret, when, attempts } = execution;
    const { intervals, executions } = this.#of(secret);
    if (this.#clock.now < when) {
      this.#violated('no other dump', secret, `The dump for ${iso(when)} was started before its time.`);
    }
    if (!told.includes(secret.arn) || !told.includes(iso(when))) {
      this.#violated('no other dump', secret, `The job for ${iso(when)} was not told its secret and time.`);
    }
    const compared = attempts.findLast(({ step, ok }) => step === 'compare' && ok);
    const there = intervals.some(
      ({ from, to, due }) =>
        compared !== undefined &&
        from <= compared.ended &&
        to > compared.started &&
        due[indexAfter(due, when - 1)] === when,
    );
    if (!there) {
      this.#violated('no other dump', secret, `A dump was started for ${iso(when)}, at which no tags of then say so.`);
    }
    // Of a time long past, only what runs is known.
    const same = [...new Set([...(executions.get(when) ?? []), execution])];
    const started = same.reduce((sum, { jobs, lostAnswers }) => sum + jobs.length - lostAnswers, 0);
    if (started > 1) {
      this.#violated('no other dump', secret, `${started} dumps were started for ${iso(when)}.`);
    }
  }

  /** An execution ended: as its branches did. */
  ended(execution: Execution): void {
    const { secret, when, attempts, outcome, stopped, end } = execution;
    if (stopped !== undefined || end === undefined) {
      return;
    }
    const wrong = (what: string): void => {
      this.#violated('true ends', secret, `The execution for ${iso(when)} ended as ${JSON.stringify(end)}: ${what}`);
    };
    const needless = attempts.find(({ ok, prevented: kept }) => !ok && !kept);
    if (needless !== undefined) {
      wrong(`${needless.step} failed although nothing kept it from working`);
    }
    const last = (step: string) => attempts.findLast((attempt) => attempt.step === step);
    const [compare, dump, reschedule] = [last('compare'), last('dump'), last('reschedule')];
    if (reschedule?.ok === true) {
      this.#checkRescheduled(execution, reschedule);
    }
    if (end.status === 'FAILED' && !end.cause.includes(secret.arn)) {
      wrong('the cause does not name the secret');
    }
    if (compare?.ok !== true) {
      if (end.status !== 'FAILED') {
        wrong('the tags were never compared');
      }
    } else if (outcome !== 'unchanged') {
      if (end.status !== 'SUCCEEDED' || dump !== undefined || reschedule !== undefined) {
        wrong('it was superseded');
      }
    } else if (dump === undefined || reschedule === undefined) {
      wrong(`there was no ${dump === undefined ? 'dump' : 'rescheduling'}`);
    } else if ((end.status === 'SUCCEEDED') !== (dump.ok && reschedule.ok)) {
      wrong(`the dump ended ${dump.ok ? 'well' : 'badly'}, rescheduling ${reschedule.ok ? 'well' : 'badly'}`);
    }
  }

  /** After Reschedule ended well the next run waits. */
  #checkRescheduled({ secret, when }: Execution, { started, ended }: Attempt): void {
    const { intervals, executions } = this.#of(secret);
    const now = this.#clock.now;
    const interval = intervals.find(({ from, to }) => from <= started && to > ended);
    const next = interval?.due[indexAfter(interval.due, Math.max(when, started))];
    if (next === undefined || next <= now || next - started > LONGEST_WAIT) {
      return;
    }
    if (!executions.has(next)) {
      this.#violated('always served', secret, `Nothing waits for ${iso(next)} after the Reschedule of ${iso(when)}.`);
    }
  }

  /**
   * A function ended: badly, if one of its calls did, and in time, if the world answered it. A scan that goes on leaves
   * it to its last invocation to end badly.
   */
  invoked(invocation: Invocation, result: Result): void {
    const failed = [...invocation.calls.values()].find((call) => call.failed);
    if (result.kind === 'returned' && failed !== undefined && !this.scans.goesOn(invocation)) {
      const { operation, subject } = failed;
      const secret = this.#watched.get(subject)?.secret;
      this.#violated(
        'true ends',
        secret,
        `${invocation.function.name} ended well although ${operation} failed for good.`,
      );
    }
    if (result.kind === 'failed' && result.error === 'Sandbox.Timedout' && !invocation.hindered) {
      this.#violated('true ends', undefined, `${invocation.function.name} ran out of time although all was well.`);
    }
  }

  /** A scan ended: badly, if a secret has tags that cannot be followed; and then all that it reached are served. */
  scanned(invocation: Invocation, result: Result): void {
    const scan = this.scans.ended(invocation, result, this.#clock.now);
    if (scan === undefined) {
      return;
    }
    if (result.kind === 'returned' && invocation.unread) {
      this.#violated(
        'true ends',
        undefined,
        'A scan ended well although it had not read all pages, and did not go on.',
      );
    }
    if (result.kind === 'returned' && scan.failed) {
      this.#violated('true ends', undefined, 'A scan ended well although a call of it failed for good.');
    }
    const anyWrong = [...this.#watched.values()].some(({ secret }) =>
      wasWrong(secret, scan.started - MARGIN, scan.ended),
    );
    if (result.kind === 'failed' && !scan.cut && !scan.failed && !anyWrong) {
      this.#violated('true ends', undefined, `A scan failed although nothing kept it from working: ${result.cause}`);
    }
    for (const watched of this.#watched.values()) {
      if (result.kind === 'returned') {
        this.#checkTold(watched.secret, scan);
      }
      if (!scan.cut && !scan.prevented.has(watched.secret.arn)) {
        this.#checkServed(watched, scan);
      }
    }
  }

  /** An event of a secret was dealt with, which was described afresh: badly, if its tags cannot be followed. */
  noticed(invocation: Invocation, result: Result, secret: Secret): void {
    const time = { started: invocation.started, ended: this.#clock.now };
    const failed = [...invocation.calls.values()].some((call) => call.failed);
    if (result.kind === 'failed' && !invocation.killed && !failed && !wasWrong(secret, time.started, time.ended)) {
      this.#violated('true ends', secret, `An event was not dealt with although nothing was wrong: ${result.cause}`);
    }
    if (result.kind === 'returned') {
      this.#checkTold(secret, time, 0);
      if (!failed) {
        this.#checkServed(this.#of(secret), time, 0);
      }
    }
  }

  #checkTold(secret: Secret, { started, ended }: Time, margin = MARGIN): void {
    const [before, state] = [stateAt(secret, started - margin), stateAt(secret, ended)];
    const onSchedule = state.exists && state.deletion === undefined && secret.primaryRegion === undefined;
    if (before === state && onSchedule && state.tags?.valid === false) {
      this.#violated(
        'true ends',
        secret,
        'The tags of this secret cannot be followed, and yet the function that looked at it ended well.',
      );
    }
  }

  /** After a look at a secret its next run waits, unless one that is due before the look was over is to start it. */
  #checkServed({ secret, intervals, executions }: Watched, { started, ended }: Time, margin = MARGIN): void {
    const interval = intervals.find(({ from, to }) => from <= started - margin && to > ended);
    const next = interval?.due[indexAfter(interval.due, started)];
    if (next === undefined || next <= ended + MINUTE || next - started > LONGEST_WAIT) {
      return;
    }
    const runs = executions.get(next) ?? [];
    if (!runs.some(({ end, stopped }) => end === undefined || stopped !== undefined)) {
      this.#violated('always served', secret, `Nothing waits for ${iso(next)} after the look of ${iso(started)}.`);
    }
  }

  #of(secret: Secret): Watched {
    const watched = this.#watched.get(secret.arn);
    if (watched === undefined) {
      throw new Error(`Nobody watches ${secret.arn}.`);
    }
    return watched;
  }

  #watchDue(watched: Watched, interval: Interval, position: number): void {
    const due = interval.due[position];
    if (due === undefined) {
      return;
    }
    this.#clock.at(due + LATEST_START, () => {
      if (due >= interval.from) {
        this.#checkDue(watched, interval, due, interval.due[position - 1]);
      }
      this.#watchDue(watched, interval, position + 1);
    });
  }

  /** Whether a scheduled time had its dump, or nothing could have started it. */
  #checkDue(watched: Watched, interval: Interval, due: number, previous: number | undefined): void {
    const { secret, executions } = watched;
    const before = executions.get(previous ?? NaN) ?? [];
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
      this.figures.dumped += 1;
      return;
    }
    const excuse = excuseOf({ secret, interval, due, previous, before, runs }, this.scans, this.#period);
    if ('violation' in excuse) {
      this.#violated('one dump', secret, `No dump was started for ${iso(due)}: ${excuse.violation}`);
    } else {
      this.figures.excused.set(excuse.excused, (this.figures.excused.get(excuse.excused) ?? 0) + 1);
    }
  }

  /** Every hour: each secret that is on a schedule has its next run waiting, or a scan is due within a period. */
  #watchServed(span: Span): void {
    const check = (): void => {
      const now = this.#clock.now;
      const since = now - this.#period - MARGIN;
      if (span.from < since && !this.scans.hasBegun(since, now)) {
        for (const watched of this.#watched.values()) {
          this.#checkWaiting(watched, now, since);
        }
      }
      if (now < span.to) {
        this.#clock.at(now + 60 * MINUTE, check);
      }
    };
    this.#clock.at(span.from + 60 * MINUTE, check);
  }

  #checkWaiting({ secret, intervals, executions }: Watched, now: number, since: number): void {
    const interval = intervals.find(({ from, to }) => from <= since && to > now);
    const next = interval?.due[indexAfter(interval.due, now + MINUTE)];
    if (next === undefined || next - now > LONGEST_WAIT) {
      return;
    }
    if (!(executions.get(next) ?? []).some(({ end }) => end === undefined)) {
      this.#violated('always served', secret, `Nothing waits for ${iso(next)}, and no scan came in a scan period.`);
    }
  }

  #violated(rule: Violation['rule'], secret: Secret | undefined, what: string): void {
    this.violations.push({ rule, time: this.#clock.now, secret: secret?.index, what });
  }
}

/** Whether a secret had tags that cannot be followed at any time from one instant to another. */
function wasWrong({ states }: Secret, from: number, to: number): boolean {
  return states.some(
    ({ from: since, tags }, i) => tags?.valid === false && since <= to && (states[i + 1]?.from ?? Infinity) >= from,
  );
}

/** Where in a sorted list the first number is that is greater. */
function indexAfter(sorted: readonly number[], number: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
