import { TIMEZONE_TAG } from '../../../contract.ts';
import { foreignCharacter } from './foreign-character.ts';
import { InvalidSchedule } from './invalid-schedule.ts';

/** A cron expression, as the values that each field matches, in order. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly dates: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Whether a day that matches either `dates` or `weekdays` is enough, since both fields are restricted. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** How many values there are before the first comes again. */
  readonly cycle: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
}

const MINUTE: Field = { name: 'minute', min: 0, max: 59, cycle: 60 };
const HOUR: Field = { name: 'hour', min: 0, max: 23, cycle: 24 };
const DATE: Field = { name: 'day of month', min: 1, max: 31, cycle: 31 };
const MONTH: Field = {
  name: 'month',
  min: 1,
  max: 12,
  cycle: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
const WEEKDAY: Field = {
  name: 'day of week',
  min: 0,
  max: 7,
  cycle: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekdays', '0 0 * * 1-5'],
  ['@weekends', '0 0 * * 0,6'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@annually', '0 0 1 1 *'],
  ['@yearly', '0 0 1 1 *'],
]);

const ALLOWED =
  'allowed are five fields (minute, hour, day of month, month, day of week) such as "0 8 * * 1-5", ' +
  `or one of ${[...ALIASES.keys()].join(', ')}`;

/** One item of a field: `*`, `5`, `MON`, `1-5`, each with an optional step such as `/15`. */
const ITEM = /^(?:(?<any>\*)|(?<first>\w+)(?:-(?<last>\w+))?)(?:\/(?<step>\d{1,2}))?$/;

/**
 * Parses the value of the schedule tag.
 *
 * Some tag editors refuse `*` and `,`: a field that is just `-` stands for `*`, and `:` for `,`. A range may wrap, as
 * in `22-2` or `FRI-MON`. The minute field may not match every minute.
 *
 * @throws {InvalidSchedule} if the expression is invalid or never due (31 February)
 */
export function parseCron(tag: string): Cron {
  const text = tag.trim();
  const foreign = foreignCharacter(text);
  if (foreign !== undefined) {
    throw new InvalidSchedule(`schedule "${tag}" contains ${foreign}: ${ALLOWED}`);
  }
  if (text.startsWith('@')) {
    const expression = ALIASES.get(text.toLowerCase());
    if (expression === undefined) {
      throw new InvalidSchedule(`schedule "${tag}" is not a known alias: ${ALLOWED}`);
    }
    return parseFields(tag, expression.split(' '));
  }
  const hint = hintFor(text);
  if (hint !== undefined) {
    throw new InvalidSchedule(`schedule "${tag}" ${hint}`);
  }
  return parseFields(tag, text === '' ? [] : text.split(/\s+/));
}

function parseFields(tag: string, fields: readonly string[]): Cron {
  const [minute, hour, date, month, weekday, ...others] = fields.map((field) =>
    field === '-' ? '*' : field.replaceAll(':', ','),
  );
  if (weekday === undefined || others.length > 0) {
    const given = `${fields.length} field${fields.length === 1 ? '' : 's'}`;
    const advice =
      others.length > 0
        ? 'leave out seconds, years, commands, comments and blanks within a field, and write days of the week by name, ' +
          'since not all dialects count them alike; '
        : '';
    throw new InvalidSchedule(`schedule "${tag}" has ${given}: ${advice}${ALLOWED}`);
  }
  const values = (text: string | undefined, field: Field): readonly number[] => parseField(tag, text ?? '', field);
  const cron = {
    minutes: values(minute, MINUTE),
    hours: values(hour, HOUR),
    dates: values(date === '?' ? '*' : date, DATE),
    months: values(month, MONTH),
    weekdays: values(weekday === '?' ? '*' : weekday, WEEKDAY),
    eitherDay: !isAny(date) && !isAny(weekday),
  };
  if (cron.minutes.length === MINUTE.cycle) {
    throw new InvalidSchedule(
      `schedule "${tag}" would run every minute: name the minutes, such as "0" or "*/15", in the first field`,
    );
  }
  if (isAny(weekday) && !cron.months.some((number) => Number(cron.dates[0]) <= longest(number))) {
    throw new InvalidSchedule(`schedule "${tag}" is never due: none of its months has that day`);
  }
  return cron;
}

/**
 * Whether a day field restricts nothing. As in Kubernetes, a range restricts, even to all days, and `*` in a list does
 * not.
 */
function isAny(field: string | undefined): boolean {
  return field?.split(',').some((item) => /^(?:\?|\*(?:\/0?1)?)$/.test(item)) === true;
}

/** The number of days that a month can have. */
function longest(month: number): number {
  const leapYear = 2000;
  return new Date(Date.UTC(leapYear, month, 0)).getUTCDate();
}

function parseField(tag: string, text: string, field: Field): readonly number[] {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const matched = matchItem(item.toUpperCase(), field);
    if (typeof matched === 'string') {
      throw new InvalidSchedule(`schedule "${tag}" has an invalid ${field.name} "${text}": ${matched}`);
    }
    for (const value of matched) {
      values.add(value);
    }
  }
  return [...values].sort((a, b) => a - b);
}

/** @returns the values that an item matches, or what is allowed in its place */
function matchItem(item: string, field: Field): readonly number[] | string {
  const { min, max, cycle } = field;
  const groups = ITEM.exec(item)?.groups;
  const first = groups?.any === undefined ? valueOf(groups?.first, field) : min;
  const last = groups?.any === undefined ? valueOf(groups?.last ?? groups?.first, field) : max;
  if (first === undefined || last === undefined) {
    return allowedIn(field);
  }
  const step = Number(groups?.step ?? 1);
  // A larger step would match only the first value.
  const largestStep = Math.min(max, cycle);
  if (step < 1 || step > largestStep) {
    return `a step is a number from 1 to ${largestStep}`;
  }
  if (groups?.first !== undefined && groups.last === undefined && groups.step !== undefined) {
    return first < cycle + min ? `write ${first}-${cycle + min - 1}/${step}` : allowedIn(field);
  }
  const length = (last >= first ? last : last + cycle) - first + 1;
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => ((first - min + i * step) % cycle) + min);
}

function valueOf(text: string | undefined, { min, max, names = [] }: Field): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = names.includes(text) ? names.indexOf(text) + min : Number(/^\d{1,2}$/.exec(text)?.[0]);
  return value >= min && value <= max ? value : undefined;
}

function allowedIn({ min, max, names }: Field): string {
  const named = names === undefined ? '' : ` or ${names[0]} to ${names.at(-1)}`;
  return `allowed are *, ${min} to ${max}${named}, ranges such as ${min + 1}-${min + 5}, and steps such as */2`;
}

/** How to write an expression in another dialect of cron; `undefined` if it is in none that is known. */
function hintFor(text: string): string | undefined {
  const quoted = /^(["'`])(?<rest>.*)\1$/.exec(text)?.groups;
  if (quoted !== undefined) {
    return `is in quotation marks: write ${quoted.rest}`;
  }
  const zone = /^(?:CRON_)?TZ=(?<name>\S+)\s+(?<rest>.+)$/i.exec(text)?.groups;
  if (zone !== undefined) {
    const ours = fromAws(awsFields(zone.rest ?? '') ?? []) ?? zone.rest;
    return `names a time zone: write "${ours}", and "${zone.name}" in the tag ${TIMEZONE_TAG}`;
  }
  const fields = awsFields(text);
  if (fields === undefined) {
    return undefined;
  }
  const ours = fromAws(fields);
  if (ours === undefined) {
    return `is in the form of AWS, and has no equal here: ${ALLOWED}`;
  }
  const year = ['*', '-'].includes(fields[5] ?? '*') ? '' : ', since a year cannot be given';
  return `is in the form of AWS: write "${ours}"${year}`;
}

/**
 * The fields of an expression of AWS, with what is around it left out; none for `rate(…)`; `undefined` for any other.
 */
function awsFields(text: string): readonly string[] | undefined {
  const call = /\b(?<type>cron|rate|at)\s*\((?<expression>[^)]*)/i.exec(text)?.groups;
  const fields = (call?.expression ?? text).trim().split(/\s+/);
  if (call === undefined) {
    return fields.length === 6 && (fields[2] === '?' || fields[4] === '?') ? fields : undefined;
  }
  return call.type?.toLowerCase() === 'cron' ? fields : [];
}

/** The five fields for AWS's six; `undefined` if there are none (`L`, `W`, `#`). */
function fromAws(fields: readonly string[]): string | undefined {
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = fields;
  const translated =
    fields.length === 6
      ? [
          withRanges(minute, MINUTE),
          withRanges(hour, HOUR),
          withRanges(date, DATE),
          withRanges(month, MONTH),
          // AWS counts from 1, which is Sunday.
          withRanges(
            weekday.replace(/(?<![/\d])\d/g, (digit) => String(Number(digit) - 1)),
            WEEKDAY,
          ),
        ]
      : fields;
  const expression = translated.map((field) => (field === '?' ? '*' : field)).join(' ');
  try {
    parseFields(expression, translated);
    return expression;
  } catch {
    return undefined;
  }
}

/** AWS writes `5/15` for `5-59/15`. */
function withRanges(field: string, { min, cycle }: Field): string {
  return field.replace(/(?<=^|,)(\w+)\//g, (_, first) =>
    Number(first) === min ? '*/' : `${first}-${min + cycle - 1}/`,
  );
}
