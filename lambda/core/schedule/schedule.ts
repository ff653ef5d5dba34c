import { IANAZone } from 'luxon';
import { wallTimesAfter } from './cron-times.ts';
import { type Cron, parseCron } from './cron.ts';
import { parseTimezone } from './timezone.ts';

/** A cron expression and its time zone, as returned by {@link parseSchedule}. */
export interface Schedule {
  readonly cron: Cron;
  /** IANA name. */
  readonly timezone: string;
  /** Whether the schedule runs in every hour of its days, and therefore again in a repeated hour. */
  readonly hourly: boolean;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** No zone shifts its clock by more than this at once (Antarctica/Casey holds the record with three hours). */
const LARGEST_SHIFT = 3 * 60 * MINUTE;

/**
 * Parses the values of the schedule tag and the timezone tag.
 *
 * @throws {InvalidSchedule} if the expression or the zone is invalid, or the expression is never due (31 February)
 */
export function parseSchedule(tag: string, timezoneTag: string): Schedule {
  const timezone = parseTimezone(timezoneTag);
  const cron = parseCron(tag);
  return { cron, timezone, hourly: cron.hours.length === 24 };
}

/** Whether an instant is a scheduled time. */
export function isDue(schedule: Schedule, instant: Date): boolean {
  return nextTime(schedule, new Date(instant.getTime() - 1)).getTime() === instant.getTime();
}

/**
 * The first scheduled time strictly after an instant.
 *
 * Schedules are in the zone's wall-clock time. A time that the clock skips runs as much later as the clock jumped. A
 * time that the clock repeats runs once, on its first occurrence, except for schedules that run in every hour, which
 * also run in the repeated hour.
 */
export function nextTime(schedule: Schedule, after: Date): Date {
  const zone = IANAZone.create(schedule.timezone);
  const soon = nextTimeOnSteadyClock(schedule, zone, after.getTime());
  if (soon !== undefined) {
    return soon;
  }
  // Around a clock shift, instants and wall-clock times are not in the same order. A wall-clock time further away than
  // the largest shift in each direction cannot be due before those in between.
  const start = wallClock(zone, after.getTime()) - 2 * LARGEST_SHIFT;
  let next = Infinity;
  let last = Infinity;
  for (const wall of wallTimesAfter(schedule.cron, start)) {
    if (wall > last) {
      break;
    }
    const due = instants(zone, wall, schedule.hourly).find((instant) => instant > after.getTime());
    if (due !== undefined && due < next) {
      next = due;
      last = wallClock(zone, next) + LARGEST_SHIFT;
    }
  }
  return new Date(next);
}

/**
 * The next time if it is within a day and the clock does not shift within two days in either direction, so that
 * wall-clock times and instants are in the same order. No zone shifts its clock and shifts it back within four days, so
 * equal offsets mean that there is no shift.
 */
function nextTimeOnSteadyClock({ cron }: Schedule, zone: IANAZone, after: number): Date | undefined {
  const offset = zone.offset(after) * MINUTE;
  if ([-2, 2].some((days) => zone.offset(after + days * DAY) * MINUTE !== offset)) {
    return undefined;
  }
  const next = wallTimesAfter(cron, after + offset).next().value - offset;
  return next < after + DAY ? new Date(next) : undefined;
}

/** The wall-clock time in a zone at an instant, in milliseconds since 1970 as if the clock were in UTC. */
function wallClock(zone: IANAZone, instant: number): number {
  return instant + zone.offset(instant) * MINUTE;
}

/** The instants at which a schedule runs for one wall-clock time, in order: one, or two in a repeated hour. */
function instants(zone: IANAZone, wall: number, hourly: boolean): readonly number[] {
  // No zone is further than 14 hours from UTC, so these offsets are the ones before and after a nearby clock shift.
  const before = zone.offset(wall - DAY) * MINUTE;
  const after = zone.offset(wall + DAY) * MINUTE;
  const matching = [wall - before, wall - after].filter((instant) => wallClock(zone, instant) === wall);
  const [first, second] = [...new Set(matching)].sort((a, b) => a - b);
  if (first === undefined) {
    return [wall - before];
  }
  return hourly && second !== undefined ? [first, second] : [first];
}
