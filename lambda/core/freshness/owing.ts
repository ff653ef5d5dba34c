import type { Purpose } from '../../../contract.ts';
import { formatWhen } from '../execution-name.ts';
import { InvalidSchedule } from '../schedule/invalid-schedule.ts';
import { isDue, nextTime, parseSchedule, type Schedule } from '../schedule/schedule.ts';
import { misspelledTag, readTags, type ScheduleTags, type Tag } from '../tags.ts';
import { type StoredDump, whenOf } from './dump-key.ts';
import type { RunsWatch } from './memory.ts';

/** A secret as it is listed, without its value. */
export interface ListedSecret {
  readonly arn: string;
  readonly name: string;
  readonly tags: readonly Tag[];
  /** Whether its primary, which is the one to be dumped, is in another Region. */
  readonly isReplica: boolean;
}

export interface Terms {
  /** How long after its scheduled time a dump, or the evidence of a drill, that is not there is overdue. */
  readonly overdueAfterMs: number;
  readonly scanIntervalMs: number;
}

/** The scheduled times whose dumps, or evidence of drills, have to be there by now, and were not looked for yet. */
export type Owing =
  /** It is not on a schedule for that in this Region. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'broken'; readonly tags: ScheduleTags; readonly reason: string }
  | {
      readonly kind: 'runs';
      readonly tags: ScheduleTags;
      readonly schedule: Schedule;
      /** Earliest first. */
      readonly due: readonly string[];
      /** The first one after those. */
      readonly next: string;
    };

/**
 * How much later than a scan interval a change of tags may take effect: a listing lags by up to five minutes, and the
 * scan itself takes some.
 */
const SCAN_LAG_MS = 10 * 60_000;

/**
 * Works out which dumps or drills a secret owes. AWS does not say when a tag was set, so tags count from when they are
 * first seen, and owe nothing for the time until even a scan must have seen them. So do tags whose next time is no
 * longer due, because the rules of their time zone have changed.
 */
export function owingOf(
  secret: ListedSecret,
  purpose: Purpose,
  watch: RunsWatch | undefined,
  now: Date,
  terms: Terms,
): Owing {
  const tags = readTags(secret.tags, purpose);
  if (!tags || secret.isReplica) {
    return { kind: 'nothing' };
  }
  const misspelled = misspelledTag(secret.tags, purpose);
  if (misspelled !== undefined) {
    return { kind: 'broken', tags, reason: misspelled };
  }
  try {
    const schedule = parseSchedule(tags.schedule, tags.timezone);
    const from = continued(watch, tags, schedule) ?? firstTime(schedule, now, terms);
    return { kind: 'runs', tags, schedule, ...dueBetween(schedule, from, now.getTime() - terms.overdueAfterMs) };
  } catch (error) {
    if (error instanceof InvalidSchedule) {
      return { kind: 'broken', tags, reason: error.message };
    }
    throw error;
  }
}

/** The first time that was not looked at yet, if the tags are those that it was worked out for. */
function continued(watch: RunsWatch | undefined, tags: ScheduleTags, schedule: Schedule): Date | undefined {
  if (watch?.next === undefined || watch.tagsHash !== tags.hash) {
    return undefined;
  }
  const next = new Date(watch.next);
  return isDue(schedule, next) ? next : undefined;
}

function firstTime(schedule: Schedule, now: Date, { scanIntervalMs }: Terms): Date {
  return nextTime(schedule, new Date(now.getTime() + scanIntervalMs + SCAN_LAG_MS));
}

/** Owes an earlier time as well, if it is one of the schedule. */
export function owingSince(owing: Owing & { kind: 'runs' }, time: string): Owing & { kind: 'runs' } {
  const { schedule, due, next } = owing;
  const isEarlier = time !== '' && time < (due[0] ?? next) && isDue(schedule, new Date(time));
  return isEarlier ? { ...owing, due: [time, ...due] } : owing;
}

/** The times of a schedule after one of them, up to another. */
export function timesBetween(schedule: Schedule, after: string, until: string): readonly string[] {
  return dueBetween(schedule, nextTime(schedule, new Date(after)), Date.parse(until)).due;
}

/**
 * Whether a dump is older than the schedule asks for. It need not be that one is missing: tags owe nothing for the time
 * before they were first seen, and a later dump may have been deleted.
 */
export function isOld(dump: StoredDump | undefined, schedule: Schedule, now: Date, terms: Terms): boolean {
  const time = whenOf(dump?.key ?? '');
  return time !== undefined && nextTime(schedule, new Date(time)).getTime() <= now.getTime() - terms.overdueAfterMs;
}

function dueBetween(schedule: Schedule, from: Date, until: number): Pick<Owing & { kind: 'runs' }, 'due' | 'next'> {
  const due: string[] = [];
  let time = from;
  while (time.getTime() <= until) {
    due.push(formatWhen(time));
    time = nextTime(schedule, time);
  }
  return { due, next: formatWhen(time) };
}
