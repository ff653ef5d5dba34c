import type { Clock } from './clock.ts';
import { intervalsOf, type Interval } from './dues.ts';
import { prevented, type Execution } from './execution.ts';
import type { Invocation, Result } from './function.ts';
import { stateAt, type Secret, type Span } from './secret-life.ts';
import { iso } from './time.ts';

const MINUTE = 60_000;

/** A listing lags by five minutes, an event may be a minute late, and so may a scan; a run a minute away is left out. */
const MARGIN = 10 * MINUTE;

/** All retries of comparing and submitting are over by then. */
const LATEST_START = 45 * MINUTE;

/** Runs further away are left to later scans; see DESIGN. */
const LONGEST_WAIT = 363 * 24 * 60 * MINUTE;

export interface Violation {
  readonly rule: 'one dump' | 'no other dump' | 'true ends' | 'always served';
  readonly time: number;
  readonly secret: number | undefined;
  readonly what: string;
}

interface Watched {
  readonly secret: Secret;
  readonly intervals: readonly Interval[];
  /** By scheduled time; those that nothing can come of any more are dropped. */
  readonly executions: Map<number, Execution[]>;
}

interface Scan {
  readonly started: number;
  readonly ended: number;
  /** The world kept it from reaching all secrets. */
  readonly cut: boolean;
  /** ARNs that the world kept it from starting or describing. */
  readonly prevented: ReadonlySet<string>;
}

/** Watches the world, and says where what happens is not what the design promises. */
export class Rules {
  readonly violations: Violation[] = [];
  /** How many scheduled times were owed a dump, and of those without one, what excuses it. */
  readonly figures = { due: 0, dumped: 0, excused: new Map<string, number>() };
  readonly #clock: Clock;
  readonly #period: number;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #scans: Scan[] = [];

  constructor(secrets: readonly Secret[], clock: Clock, period: number, span: Span) {
    this.#clock = clock;
    this.#period = period;
    this.#watched = new Map(
      secrets.map((secret) => [secret.arn, { secret, intervals: intervalsOf(secret, span), executions: new Map() }]),
    );
    for (const watched of this.#watched.values()) {
      for (const interval of watched.intervals) this.#watchDue(watched, interval, 0);
    }
    this.#watchServed(span);
  }

  started(execution: Execution): void {
    const { executions } = this.#of(execution.secret);
    const same = executions.get(execution.when);
    if (same === undefined) executions.set(execution.when, [execution]);
    else same.push(execution);
  }

  /** A job was accepted: only for a scheduled time of tags that are there, and once. */
  submitted({ secret, when }: Execution): void {
    const { intervals, executions } = this.#of(secret);
    const now = this.#clock.now;
    const there = intervals.some(({ from, to, due }) => from <= now && to > when && includes(due, when));
    if (!there) {
      this.#violated('no other dump', secret, `A dump was started for ${iso(when)}, at which no tags of then say so.`);
    }
    const same = executions.get(when) ?? [];
    const started = same.reduce((sum, { jobs, lostAnswers }) => sum + jobs.length - lostAnswers, 0);
    if (started > 1) this.#violated('no other dump', secret, `${started} dumps were started for ${iso(when)}.`);
  }

  /** An execution ended: as its branches did. */
  ended({ secret, when, attempts, outcome, stopped, end }: Execution): void {
    if (stopped !== undefined || end === undefined) return;
    const wrong = (what: string): void => {
      this.#violated('true ends', secret, `The execution for ${iso(when)} ended as ${JSON.stringify(end)}: ${what}`);
    };
    const last = (step: string) => attempts.findLast((attempt) => attempt.step === step);
    const [compare, dump, reschedule] = [last('compare'), last('dump'), last('reschedule')];
    if (end.status === 'FAILED' && !end.cause.includes(secret.arn)) wrong('the cause does not name the secret');
    if (compare?.ok !== true) {
      if (end.status !== 'FAILED') wrong('the tags were never compared');
    } else if (outcome !== 'unchanged') {
      if (end.status !== 'SUCCEEDED' || dump !== undefined || reschedule !== undefined) wrong('it was superseded');
    } else if (dump === undefined || reschedule === undefined) {
      wrong(`there was no ${dump === undefined ? 'dump' : 'rescheduling'}`);
    } else if ((end.status === 'SUCCEEDED') !== (dump.ok && reschedule.ok)) {
      wrong(`the dump ended ${dump.ok ? 'well' : 'badly'}, rescheduling ${reschedule.ok ? 'well' : 'badly'}`);
    }
  }

  /** A function ended: badly, if one of its calls did. */
  invoked(invocation: Invocation, { kind }: Result): void {
    const failed = [...invocation.calls.values()].find((call) => call.failed);
    if (kind === 'returned' && failed !== undefined) {
      const { operation, subject } = failed;
      const secret = this.#watched.get(subject)?.secret;
      this.#violated(
        'true ends',
        secret,
        `${invocation.function.name} ended well although ${operation} failed for good.`,
      );
    }
  }

  /** A scan ended: badly, if a secret has tags that cannot be followed. */
  scanned(invocation: Invocation, result: Result): void {
    const { calls, killed, started } = invocation;
    const failed = [...calls.values()].filter((call) => call.failed);
    const cut = killed || failed.some(({ operation }) => operation === 'ListSecrets');
    const now = this.#clock.now;
    this.#scans.push({ started, ended: now, cut, prevented: new Set(failed.map(({ subject }) => subject)) });
    if (result.kind === 'failed') return;
    for (const { secret } of this.#watched.values()) {
      const [before, state] = [stateAt(secret, started - MARGIN), stateAt(secret, now)];
      const onSchedule = state.exists && state.deletion === undefined && secret.primaryRegion === undefined;
      if (before === state && onSchedule && state.tags?.valid === false) {
        this.#violated('true ends', secret, 'A scan ended well although the tags of this secret cannot be followed.');
      }
    }
  }

  #of(secret: Secret): Watched {
    const watched = this.#watched.get(secret.arn);
    if (watched === undefined) throw new Error(`Nobody watches ${secret.arn}.`);
    return watched;
  }

  #watchDue(watched: Watched, interval: Interval, position: number): void {
    const due = interval.due[position];
    if (due === undefined) return;
    this.#clock.at(due + LATEST_START, () => {
      if (due >= interval.from) this.#checkDue(watched, interval, due, interval.due[position - 1]);
      this.#watchDue(watched, interval, position + 1);
    });
  }

  /** Whether a scheduled time had its dump, or nothing could have started it. */
  #checkDue(watched: Watched, interval: Interval, due: number, previous: number | undefined): void {
    const { secret, executions } = watched;
    const before = executions.get(previous ?? NaN) ?? [];
    for (const when of executions.keys()) if (when < due - 2 * LATEST_START) executions.delete(when);
    if (due - interval.from <= this.#period + MARGIN || interval.to <= due + LATEST_START) return;
    this.figures.due += 1;
    const runs = executions.get(due) ?? [];
    if (runs.some(({ jobs }) => jobs.length > 0)) {
      this.figures.dumped += 1;
      return;
    }
    const excuse = excuseOf(runs) ?? this.#excuseOfNone(watched, interval, due, previous, before);
    if ('violation' in excuse) {
      this.#violated('one dump', secret, `No dump was started for ${iso(due)}: ${excuse.violation}`);
    } else {
      this.figures.excused.set(excuse.excused, (this.figures.excused.get(excuse.excused) ?? 0) + 1);
    }
  }

  /** No execution served a scheduled time: whether anything could have started one. */
  #excuseOfNone(
    { secret }: Watched,
    interval: Interval,
    due: number,
    previous: number | undefined,
    before: readonly Execution[],
  ): Excuse {
    const since = Math.max(interval.from + MARGIN, previous ?? 0);
    const scans = this.#scans.filter(({ started, ended }) => started > since && ended < due - MINUTE);
    const clean = scans.find(({ cut, prevented }) => !cut && !prevented.has(secret.arn));
    if (clean !== undefined) return { violation: `the scan of ${iso(clean.started)} went well and did not see to it.` };
    if (scans.length === 0 && due - since > this.#period + MARGIN) {
      return { violation: 'no scan came in more than a scan period.' };
    }
    const rescheduling = before.flatMap(({ attempts }) => attempts).filter(({ step }) => step === 'reschedule');
    const well = rescheduling.find(({ ok, ended }) => ok && ended < due);
    if (well !== undefined && previous !== undefined && previous >= interval.from) {
      return { violation: `the Reschedule of ${iso(well.started)} went well and did not see to it.` };
    }
    const passed = before.find(({ outcome, stopped }) => outcome === 'unchanged' && stopped === undefined);
    if (passed !== undefined && rescheduling.length === 0) {
      return { violation: 'the run before it did not reschedule.' };
    }
    return { excused: scans.length > 0 ? 'every scan was kept from it' : 'the run before failed, and no scan was due' };
  }

  /** Every hour: each secret that is on a schedule has its next run waiting, or a scan is due within a period. */
  #watchServed(span: Span): void {
    const check = (): void => {
      const now = this.#clock.now;
      const last = this.#scans.at(-1)?.started ?? span.from;
      if (now - last > this.#period + MARGIN) this.#checkServed(now);
      if (now < span.to) this.#clock.at(now + 60 * MINUTE, check);
    };
    this.#clock.at(span.from + 60 * MINUTE, check);
  }

  #checkServed(now: number): void {
    for (const { secret, intervals, executions } of this.#watched.values()) {
      const interval = intervals.find(({ from, to }) => from <= now - this.#period - MARGIN && to > now);
      const next = interval?.due.find((due) => due > now + MINUTE);
      if (next === undefined || next - now > LONGEST_WAIT) continue;
      if (!(executions.get(next) ?? []).some(({ end }) => end === undefined)) {
        this.#violated('always served', secret, `Nothing waits for ${iso(next)}, and no scan came in a scan period.`);
        return;
      }
    }
  }

  #violated(rule: Violation['rule'], secret: Secret | undefined, what: string): void {
    this.violations.push({ rule, time: this.#clock.now, secret: secret?.index, what });
  }
}

type Excuse = { readonly excused: string } | { readonly violation: string };

/** Runs of a scheduled time that started no dump: what was in their way. */
function excuseOf(runs: readonly Execution[]): Excuse | undefined {
  if (runs.some(({ stopped }) => stopped !== undefined)) return { excused: 'stopped by hand' };
  for (const run of runs) {
    if (prevented(run, 'compare')) return { excused: 'the tags could not be compared' };
    if (prevented(run, 'dump')) return { excused: 'the job could not be submitted' };
    if (run.outcome === 'unchanged') return { violation: `its execution ended as ${JSON.stringify(run.end)}.` };
  }
  return undefined;
}

/** Whether a sorted list has a number. */
function includes(sorted: readonly number[], wanted: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}
