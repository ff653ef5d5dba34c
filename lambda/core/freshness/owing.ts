import { formatWhen } from '../execution-name.ts';
import { InvalidSchedule } from '../schedule/invalid-schedule.ts';
import { isDue, nextTime, parseSchedule, type Schedule } from '../schedule/schedule.ts';
import { misspelledTag, readTags, type ScheduleTags, type Tag } from '../tags.ts';
import { type StoredDump, whenOf } from './dump-key.ts';
import type { Watch } from './memory.ts';

/** A secret as it is listed, without its value. */
export interface ListedSecret {
  readonly arn: string;
  readonly name: string;
  readonly tags: readonly Tag[];
  /** Whether its primary, which is the one to be dumped, is in another Region. */
  readonly isReplica: boolean;
}

export interface Terms {
  /** How long after its scheduled time a dump that is not there is overdue. */
  readonly overdueAfterMs: number;
  readonly scanIntervalMs: number;
}

/** The scheduled times whose dumps have to be there by now, and were not looked for yet. */
export type Owing =
  /** It is not on a schedule in this Region. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'broken'; readonly tags: ScheduleTags; readonly reason: string }
  | {
      readonly kind: 'dumps';
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
 * Works out which dumps a secret owes. AWS does not say when a tag was set, so tags count from when they are first
 * seen, and owe nothing for the time until even a scan must have seen them. So do tags whose next time is no longer
 * due, because the rules of their time zone have changed.
 */
export function owingOf(secret: ListedSecret, watch: Watch | undefined, now: Date, terms: Terms): Owing {
  const tags = readTags(secret.tags);
  if (!tags || secret.isReplica) {
    return { kind: 'nothing' };
  }
  const misspelled = misspelledTag(secret.tags);
  if (misspelled !== undefined) {
    return { kind: 'broken', tags, reason: misspelled };
  }
  try {
    const schedule = parseSchedule(tags.schedule, tags.timezone);
    const from = continued(watch, tags, schedule) ?? firstTime(schedule, now, terms);
    return { kind: 'dumps', tags, schedule, ...dueBetween(schedule, from, now.getTime() - terms.overdueAfterMs) };
  } catch (error) {
    if (error instanceof InvalidSchedule) {
      return { kind: 'broken', tags, reason: error.message };
    }
    throw error;
  }
}

/** The first time that was not looked at yet, if the tags are those that it was worked out for. */
function continued(watch: Watch | undefined, tags: ScheduleTags, schedule: Schedule): Date | undefined {
  if (watch?.next === undefined || watch.tagsHash !== tags.hash) {
    return undefined;
  }
  const next = new Date(watch.next);
  return isDue(schedule, next) ? next : undefined;
}

function firstTime(schedule: Schedule, now: Date, { scanIntervalMs }: Terms): Date {
  return nextTime(schedule, new Date(now.getTime() + scanIntervalMs + SCAN_LAG_MS));
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

function dueBetween(schedule: Schedule, from: Date, until: number): Pick<Owing & { kind: 'dumps' }, 'due' | 'next'> {
  const due: string[] = [];
  let time = from;
  while (time.getTime() <= until) {
    due.push(formatWhen(time));
    time = nextTime(schedule, time);
  }
  return { due, next: formatWhen(time) };
}
