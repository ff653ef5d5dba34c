import { CronExpressionParser, type CronFieldCollection } from 'cron-parser';
import { IANAZone } from 'luxon';
import { wallTimesAfter } from './wall-times.ts';

/** A cron expression and its time zone, as returned by {@link parseSchedule}. */
export interface Schedule {
  readonly cron: CronFieldCollection;
  /** IANA name. */
  readonly timezone: string;
  /** Whether the schedule runs in every hour of its days, and therefore again in a repeated hour. */
  readonly hourly: boolean;
}

/** A schedule or time zone is invalid. The message quotes it and says what is allowed. */
export class InvalidSchedule extends Error {
  override readonly name = 'InvalidSchedule';
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** No zone shifts its clock by more than this at once (Antarctica/Casey holds the record with three hours). */
const LARGEST_SHIFT = 3 * 60 * MINUTE;

const ALIASES = ['@hourly', '@daily', '@weekdays', '@weekends', '@weekly', '@monthly', '@annually', '@yearly'];
/** Each field with its largest step: a larger one would match only the first value. */
const FIELDS = [
  ['minute', 59],
  ['hour', 23],
  ['day of month', 31],
  ['month', 12],
  ['day of week', 7],
] as const;
const ALLOWED =
  'allowed are five fields (minute, hour, day of month, month, day of week) such as "0 8 * * 1-5", ' +
  `or one of ${ALIASES.join(', ')}`;

/** One item of a field: `*`, `5`, `MON`, `1-5`, each with an optional step such as `/15`. */
const ITEM = /^(\*|(\d{1,2}|[a-z]{3})(-(\d{1,2}|[a-z]{3}))?)(\/(?<step>\d{1,2}))?$/i;

/**
 * Parses the values of the schedule tag and the timezone tag.
 *
 * Some tag editors refuse `*` and `,`: a field that is just `-` stands for `*`, and `:` for `,`. The minute field may not
 * match every minute. Input that cron-parser accepts although it is not five-field cron (six fields, an empty string,
 * `H`) is refused here.
 *
 * @throws {InvalidSchedule} if the expression or the zone is invalid, or the expression is never due (31 February)
 */
export function parseSchedule(tag: string, timezone: string): Schedule {
  if (!isTimezone(timezone)) {
    throw new InvalidSchedule(
      `timezone "${timezone}" is not known: allowed are IANA names such as "UTC" or "America/Denver"`,
    );
  }
  const cron = parseCron(tag, canonical(tag));
  if (cron.minute.values.length === 60) {
    throw new InvalidSchedule(
      `schedule "${tag}" would run every minute: name the minutes, such as "0" or "*/15", in the first field`,
    );
  }
  return { cron, timezone, hourly: cron.hour.values.length === 24 };
}

/**
 * The first scheduled time strictly after an instant.
 *
 * Schedules are in the zone's wall-clock time. A time that the clock skips runs as much later as the clock jumped. A time
 * that the clock repeats runs once, on its first occurrence, except for schedules that run in every hour, which also run
 * in the repeated hour.
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

function canonical(tag: string): string {
  const fields = tag.trim().split(/\s+/);
  if (fields.length === 1 && fields[0]?.startsWith('@')) {
    return fields[0].toLowerCase();
  }
  return fields.map((field) => (field === '-' ? '*' : field.replaceAll(':', ','))).join(' ');
}

function parseCron(tag: string, expression: string): CronFieldCollection {
  if (expression.startsWith('@')) {
    if (!ALIASES.includes(expression)) {
      throw new InvalidSchedule(`schedule "${tag}" is not a known alias: ${ALLOWED}`);
    }
  } else {
    const fields = expression === '' ? [] : expression.split(' ');
    if (fields.length !== FIELDS.length) {
      throw new InvalidSchedule(`schedule "${tag}" has ${fields.length} fields: ${ALLOWED}`);
    }
    for (const [i, [name, longestStep]] of FIELDS.entries()) {
      const field = String(fields[i]);
      if (!field.split(',').every((item) => isItem(item, longestStep))) {
        throw new InvalidSchedule(`schedule "${tag}" has an invalid ${name} "${field}": ${ALLOWED}`);
      }
    }
  }
  try {
    // Only the fields are used, and no occurrences computed; passing a zone would double the cost.
    return CronExpressionParser.parse(expression).fields;
  } catch (error) {
    throw new InvalidSchedule(`schedule "${tag}" is invalid (${reasonOf(error as Error)}): ${ALLOWED}`);
  }
}

function reasonOf({ message }: Error): string {
  return message === 'Invalid explicit day of month definition' ? 'none of its months has that day' : message;
}

function isItem(item: string, longestStep: number): boolean {
  const match = ITEM.exec(item);
  return match !== null && Number(match.groups?.step ?? 1) <= longestStep;
}

function isTimezone(timezone: string): boolean {
  return /^[A-Za-z]/.test(timezone) && IANAZone.create(timezone).isValid;
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
