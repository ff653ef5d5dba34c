import type { Draw } from '../runtime/random.ts';

/** The schedule tags of a secret. */
export interface Tags {
  readonly schedule: string;
  readonly timezone: string | undefined;
  /** Whether they can be followed. */
  readonly valid: boolean;
}

const ZONES = Intl.supportedValuesOf('timeZone');
const ODD_ZONES = [
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Africa/Cairo',
  'America/Denver',
  'Europe/Berlin',
  'Africa/Casablanca',
];

const WRONG = [
  '',
  '0 8 * *',
  '* * * * *',
  '0 0 8 * * *',
  'H 8 * * *',
  '0 0 31 2 *',
  'tomorrow',
  '@reboot',
  '60 8 * * *',
];

/**
 * Tags as people write them: most of them daily or weekly, some odd, a few that cannot be followed.
 *
 * @param busy whether most are hourly or more often, for many runs in little time
 */
export function drawTags(id: string, draw: Draw, busy: boolean): Tags {
  const timezone = draw.weighted<string | undefined>(`timezone|${id}`, [
    [3, undefined],
    [2, 'UTC'],
    [4, draw.one(`zone|${id}`, ZONES)],
    [3, draw.one(`odd zone|${id}`, ODD_ZONES)],
  ]);
  if (draw.chance(`wrong|${id}`, 0.06)) {
    return draw.chance(`wrong zone|${id}`, 0.3)
      ? { schedule: '0 8 * * *', timezone: 'Mars/Base', valid: false }
      : { schedule: draw.one(`wrong tag|${id}`, WRONG), timezone, valid: false };
  }
  return { schedule: drawSchedule(id, draw, busy), timezone, valid: true };
}

/** The same times in other words, as people write them after they have read the manual. */
export function rephrased({ schedule, ...tags }: Tags): Tags {
  const fields = schedule.split(' ').map((field) => (field === '*' ? '-' : field === '-' ? '*' : field));
  return { ...tags, schedule: fields.join(' ') };
}

function drawSchedule(id: string, draw: Draw, busy: boolean): string {
  const number = (what: string, min: number, max: number): number => draw.integer(`${what}|${id}`, min, max);
  const [minute, hour] = [number('minute', 0, 59), number('hour', 0, 23)];
  // Hours about which clocks are set.
  const night = number('night', 0, 3);
  return draw.weighted(`schedule|${id}`, [
    [18, `${minute} ${hour} * * *`],
    [6, `${minute} ${night} * * *`],
    [1, '@daily'],
    [8, `${minute} ${hour} - - 1-5`],
    [14, `${minute} ${hour} * * ${number('weekday', 0, 7)}`],
    [2, '@weekly'],
    [8, `${minute} ${night} ${number('date', 1, 28)} * *`],
    [2, '@monthly'],
    [0.5, '@annually'],
    [2, `${minute} ${hour} ${number('date', 1, 14)}:15 * MON`],
    [4, `${minute} ${hour} ${number('date', 1, 28)} ${number('month', 1, 12)} *`],
    [1, '0 0 29 2 *'],
    [1, `${minute} ${night}:${night + 6}:${night + 12} * * *`],
    [busy ? 30 : 0.5, `${minute} * * * *`],
    [busy ? 200 : 0.05, `${number('offset', 0, 14)}-59/15 * * * *`],
  ]);
}
