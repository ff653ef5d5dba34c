import { formerZone } from '../runtime/timezone-rules.ts';
import type { Purpose } from '../workload/random-tags.ts';
import { type Secret, type SecretState, type Span, tagsInForce } from '../workload/secret-history.ts';
import { dueTimes } from './oracle.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** A period during which the same valid tags are in force and mean the same. */
export interface Interval extends Span {
  /**
   * Scheduled times, in order. They begin an hour before the interval, since a run may start late, under tags set
   * meanwhile, and end with the first one after the simulation, for which an execution waits by then.
   */
  readonly due: readonly number[];
}

/**
 * The intervals during which a secret is on a schedule for a purpose, in order. The last one may have no end.
 *
 * @param runtimeUpdate when the rules of time zones change
 */
export function intervalsOf(secret: Secret, purpose: Purpose, span: Span, runtimeUpdate: number): readonly Interval[] {
  const intervals: Interval[] = [];
  let since: SecretState | undefined;
  const inForce = (state: SecretState | undefined) => state && tagsInForce(secret, state, purpose);
  const close = (to: number): void => {
    const tags = inForce(since);
    if (since === undefined || tags?.valid !== true) {
      return;
    }
    const { schedule, timezone = 'UTC' } = tags;
    const add = (from: number, until: number, rules: string): void => {
      const due = dueTimes(schedule, rules, from - HOUR, Math.min(until, span.to));
      const later = until > span.to ? firstDue(schedule, rules, span.to) : [];
      intervals.push({ from, to: until, due: [...due, ...later] });
    };
    const former = formerZone(timezone);
    if (former === timezone || since.from >= runtimeUpdate) {
      add(since.from, to, timezone);
    } else if (to <= runtimeUpdate) {
      add(since.from, to, former);
    } else {
      add(since.from, runtimeUpdate, former);
      add(runtimeUpdate, to, timezone);
    }
  };
  for (const state of secret.states) {
    const [before, now] = [inForce(since), inForce(state)];
    if (before?.schedule === now?.schedule && before?.timezone === now?.timezone && since !== undefined) {
      continue;
    }
    close(state.from);
    since = state;
  }
  close(Infinity);
  return intervals;
}

/** The first scheduled time of an interval after an instant. */
export function dueAfter({ due }: Interval, instant: number): number | undefined {
  let [low, high] = [0, due.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle] ?? 0) <= instant) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return due[low];
}

/** Windows to search for the next scheduled time: most schedules are due soon, and some once a year. */
const WINDOWS = [2 * DAY, 40 * DAY, 366 * DAY];

/** The first scheduled time from an instant on, if any within a year. */
function firstDue(schedule: string, timezone: string, from: number): readonly number[] {
  for (const window of WINDOWS) {
    const [first] = dueTimes(schedule, timezone, from, from + window);
    if (first !== undefined) {
      return [first];
    }
  }
  return [];
}
