import type { Cron } from '../schedule/cron.ts';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** More times of day than these are not listed one by one. */
const MAX_TIMES = 4;

/**
 * A schedule in English: `08:00 on weekdays`. Made of the values that each field matches, not of how they are written,
 * so that it holds for every form that the dialect has.
 */
export function inWords(cron: Cron): string {
  const days = daysOf(cron);
  const isListed = cron.minutes.length * cron.hours.length <= MAX_TIMES;
  return `${timesOf(cron)}${days === '' && isListed ? ' daily' : days}`;
}

function timesOf({ minutes, hours }: Cron): string {
  const [minute = 0] = minutes;
  const [hour = 0] = hours;
  if (minutes.length * hours.length <= MAX_TIMES) {
    return listed(hours.flatMap((each) => minutes.map((other) => clock(each, other))));
  }
  if (minutes.length === 1) {
    const step = stepOf(hours, 24);
    if (step !== undefined) {
      const every = step === 1 ? 'every hour' : `every ${step} hours`;
      return hour === 0 && minute === 0 ? every : `${every} from ${clock(hour, minute)}`;
    }
    const [run = [], ...others] = runsOf(hours, HOUR_CYCLE);
    if (others.length === 0) {
      return `every hour from ${clock(run[0] ?? 0, minute)} to ${clock(run.at(-1) ?? 0, minute)}`;
    }
  }
  const step = minutes.length === 1 ? undefined : stepOf(minutes, 60);
  const often =
    step === undefined
      ? `at ${listed(minutes.map((each) => `:${twoDigits(each)}`))}`
      : `every ${step} minutes${minute === 0 ? '' : ` from :${twoDigits(minute)}`}`;
  if (hours.length === 24) {
    return step === undefined ? `${often} of every hour` : often;
  }
  return `${often} in the hours ${listed(ranges(hours, HOUR_CYCLE, twoDigits))}`;
}

function daysOf({ dates, weekdays, months, eitherDay }: Cron): string {
  const monthNames = ranges(months, MONTH_CYCLE, (month) => MONTHS[month - 1] ?? '');
  const inMonths = months.length === MONTHS.length ? '' : ` ${withPreposition('in', monthNames)}`;
  const dayNames = ranges(weekdays, WEEKDAY_CYCLE, (day) => WEEKDAYS[day] ?? '');
  const isAnyDate = dates.length === DATE_CYCLE.length && !eitherDay;
  const dateNames = isAnyDate ? '' : listed(ranges(dates, DATE_CYCLE, ordinal));
  if (eitherDay) {
    return ` on the ${dateNames} and every ${listed(dayNames)}${inMonths}`;
  }
  if (!isAnyDate) {
    return ` on the ${dateNames} of ${inMonths === '' ? 'the month' : listed(monthNames)}`;
  }
  const onDays = SPECIAL_DAYS.get(weekdays.join('')) ?? ` ${withPreposition('on', dayNames)}`;
  return `${onDays}${inMonths}`;
}

/** Words for weekdays, by their numbers. */
const SPECIAL_DAYS: ReadonlyMap<string, string> = new Map([
  ['0123456', ''],
  ['12345', ' on weekdays'],
  ['06', ' on weekends'],
]);

/** `on Monday and Friday`, `from Monday to Wednesday` */
function withPreposition(preposition: string, names: readonly string[]): string {
  const [name = ''] = names;
  return names.length === 1 && name.includes(' to ') ? `from ${name}` : `${preposition} ${listed(names)}`;
}

/**
 * The step of values that are evenly spaced around a cycle, such as the minutes of an hour; undefined if they are not.
 */
function stepOf(values: readonly number[], cycle: number): number | undefined {
  const step = cycle / values.length;
  const [first = 0] = values;
  return values.every((value, index) => value === first + index * step) ? step : undefined;
}

/** How many values a field has, and whether the first follows the last. Not all months have the same last day. */
interface Cycle {
  readonly length: number;
  readonly wraps: boolean;
}

const HOUR_CYCLE: Cycle = { length: 24, wraps: true };
const DATE_CYCLE: Cycle = { length: 31, wraps: false };
const MONTH_CYCLE: Cycle = { length: MONTHS.length, wraps: true };
const WEEKDAY_CYCLE: Cycle = { length: WEEKDAYS.length, wraps: true };

/** The runs of values that follow one another. */
function runsOf(values: readonly number[], { length, wraps }: Cycle): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const value of values) {
    const run = runs.at(-1);
    if (run?.at(-1) === value - 1) {
      run.push(value);
    } else {
      runs.push([value]);
    }
  }
  const [first = [], ...others] = runs;
  const last = others.at(-1);
  const isWrapped = wraps && last !== undefined && (last.at(-1) ?? 0) - (first[0] ?? 0) === length - 1;
  return isWrapped ? [...others.slice(0, -1), [...last, ...first]] : runs;
}

/** Values by name, three or more in a row as a range. */
function ranges(values: readonly number[], cycle: Cycle, name: (value: number) => string): readonly string[] {
  return runsOf(values, cycle).flatMap((run) => {
    const names = run.map(name);
    return run.length < 3 ? names : [`${names[0] ?? ''} to ${names.at(-1) ?? ''}`];
  });
}

/** `a, b and c` */
function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

function clock(hour: number, minute: number): string {
  return `${twoDigits(hour)}:${twoDigits(minute)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `1st`, `22nd`, `13th` */
function ordinal(value: number): string {
  const endings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };
  return `${value}${endings[ORDINALS.select(value)] ?? 'th'}`;
}

const ORDINALS = new Intl.PluralRules('en', { type: 'ordinal' });
