import { type Secret, type SecretState, type Span, tagsInForce } from '../workload/secret-history.ts';
import { dueTimes } from './oracle.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** A time during which the same valid tags are in force. */
export interface Interval extends Span {
  /**
   * Scheduled times from an hour before it on: a run may begin late, under tags that are there by then. Up to the first
   * one after the simulation, which waits by then.
   */
  readonly due: readonly number[];
}

/** The times during which a secret is on a schedule, in order. The last one goes on to the end of all time. */
export function intervalsOf(secret: Secret, span: Span): readonly Interval[] {
  const intervals: Interval[] = [];
  let since: SecretState | undefined;
  const close = (to: number): void => {
    const tags = since === undefined ? undefined : tagsInForce(secret, since);
    if (since === undefined || tags?.valid !== true) {
      return;
    }
    const { schedule, timezone = 'UTC' } = tags;
    const due = dueTimes(schedule, timezone, since.from - HOUR, Math.min(to, span.to));
    const later = to > span.to ? firstDue(schedule, timezone, span.to) : [];
    intervals.push({ from: since.from, to, due: [...due, ...later] });
  };
  for (const state of secret.states) {
    const [before, now] = [since === undefined ? undefined : tagsInForce(secret, since), tagsInForce(secret, state)];
    if (before?.schedule === now?.schedule && before?.timezone === now?.timezone && since !== undefined) {
      continue;
    }
    close(state.from);
    since = state;
  }
  close(Infinity);
  return intervals;
}

/** Windows in which the next scheduled time is looked for: most schedules are due soon, and some once a year. */
const WINDOWS = [2 * DAY, 40 * DAY, 366 * DAY];

/** The first scheduled time from an instant on, if there is one within a year. */
function firstDue(schedule: string, timezone: string, from: number): readonly number[] {
  for (const window of WINDOWS) {
    const [first] = dueTimes(schedule, timezone, from, from + window);
    if (first !== undefined) {
      return [first];
    }
  }
  return [];
}
