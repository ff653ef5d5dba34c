/**
 * When a schedule is due, found by reading a clock in its time zone: every minute around a clock change, and at both
 * ends of all other days. It shares nothing with the schedule module of the functions but the meaning of the tags.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const ALIASES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekdays': '0 0 * * 1-5',
  '@weekends': '0 0 * * 0,6',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** The instants at which a valid schedule is due, from one instant (inclusive) to another (exclusive), in order. */
export function dueTimes(tag: string, timezone: string, from: number, to: number): readonly number[] {
  const cron = parse(tag);
  const due = new Set<number>();
  for (let day = Math.floor((from - 2 * DAY) / DAY) * DAY; day < to + 2 * DAY; day += DAY) {
    if (!cron.onDay(new Date(day))) {
      continue;
    }
    const clock = clockOn(timezone, day);
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        const shown = clock.shows(day + hour * HOUR + minute * MINUTE);
        for (const instant of cron.hours.length === 24 ? shown : shown.slice(0, 1)) {
          due.add(instant);
        }
      }
    }
  }
  return [...due].filter((instant) => instant >= from && instant < to).sort((a, b) => a - b);
}

interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** @param day midnight UTC of the calendar day */
  readonly onDay: (day: Date) => boolean;
}

function parse(tag: string): Cron {
  const text = tag.trim().toLowerCase();
  const fields = (ALIASES[text] ?? text)
    .split(/\s+/)
    .map((field) => (field === '-' ? '*' : field.replaceAll(':', ',')));
  const [minute = '', hour = '', month = ''] = [0, 1, 3].map((i) => fields[i]);
  const [date = '', weekday = ''] = [2, 4].map((i) => (fields[i] === '?' ? '*' : fields[i]));
  const dates = values(date, 1, 31);
  const months = values(month, 1, 12, MONTHS);
  const weekdays = values(weekday, 0, 7, WEEKDAYS).map((number) => number % 7);
  const onDate = (day: Date): boolean => dates.includes(day.getUTCDate());
  const onWeekday = (day: Date): boolean => weekdays.includes(day.getUTCDay());
  const anyDay = (field: string): boolean => field.split(',').some((item) => item === '*' || item === '*/1');
  const either = !anyDay(date) && !anyDay(weekday);
  return {
    minutes: values(minute, 0, 59),
    hours: values(hour, 0, 23),
    onDay: (day) =>
      months.includes(day.getUTCMonth() + 1) &&
      (either ? onDate(day) || onWeekday(day) : onDate(day) && onWeekday(day)),
  };
}

/** @throws {Error} for what is not valid, such as `5/15`, which other dialects of cron read as `5-59/15` */
function values(field: string, min: number, max: number, names: readonly string[] = []): readonly number[] {
  const number = (text: string): number => (names.includes(text) ? names.indexOf(text) + min : Number(text));
  const named = field.split(',').flatMap((item) => {
    const [range = '', step = '1'] = item.split('/');
    const [first = '', last = first] = range.split('-');
    if (range !== '*' && !range.includes('-') && item.includes('/')) {
      throw new Error(`${item} is a step without a range`);
    }
    const [low, high] = range === '*' ? [min, max] : [number(first), number(last)];
    return walk(low, high, min, max).filter((_, i) => i % Number(step) === 0);
  });
  return [...new Set(named)].sort((a, b) => a - b);
}

/**
 * The numbers from low to high, past the end of the field if need be. Seven is the end of a week only if not passed.
 */
function walk(low: number, high: number, min: number, max: number): readonly number[] {
  const upTo = (from: number, to: number): readonly number[] =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  if (low <= high) {
    return upTo(low, high);
  }
  const isWeek = max === 7;
  return isWeek && low === 7 ? upTo(0, high) : [...upTo(low, isWeek ? 6 : max), ...upTo(min, high)];
}

interface WallClock {
  /**
   * The instants at which a clock shows a reading of this day, in order. A skipped reading is shifted by as much as the
   * clock jumped.
   */
  readonly shows: (reading: number) => readonly number[];
}

const clocks = new Map<string, WallClock>();

function clockOn(timezone: string, day: number): WallClock {
  const name = `${timezone} ${day}`;
  const known = clocks.get(name);
  if (known !== undefined) {
    return known;
  }
  // All instants of a calendar day, in any time zone, lie within these.
  const [start, end] = [day - DAY, day + 2 * DAY];
  const [before, after] = [offset(timezone, start), offset(timezone, end)];
  const clock =
    before === after ? { shows: (reading: number) => [reading - before] } : shiftingClock(timezone, start, end);
  clocks.set(name, clock);
  return clock;
}

function shiftingClock(timezone: string, start: number, end: number): WallClock {
  const shown = new Map<number, number[]>();
  let beforeJump = 0;
  for (let instant = start; instant < end; instant += MINUTE) {
    const now = offset(timezone, instant);
    const reading = instant + now;
    shown.set(reading, [...(shown.get(reading) ?? []), instant]);
    const before = offset(timezone, instant - MINUTE);
    if (now !== before) {
      beforeJump = before;
    }
  }
  return { shows: (reading) => shown.get(reading) ?? [reading - beforeJump] };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far a clock in the time zone is ahead of UTC, in milliseconds. */
function offset(timezone: string, instant: number): number {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timezone, format);
  }
  return Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) - instant;
}
