import type { Random } from '../runtime/random.ts';

/** The schedule tags of a secret. */
export interface Tags {
  readonly schedule: string;
  readonly timezone: string | undefined;
  /** Whether AutoDump accepts them. */
  readonly valid: boolean;
}

const ZONES = Intl.supportedValuesOf('timeZone');
/** Zones whose clocks change in unusual ways. */
const UNUSUAL_ZONES = [
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Africa/Cairo',
  'America/Denver',
  'Europe/Berlin',
  'Africa/Casablanca',
];

const INVALID_SCHEDULES = [
  '',
  '0 8 * *',
  '* * * * *',
  '0 0 8 * * *',
  'H 8 * * *',
  '0 0 31 2 *',
  'tomorrow',
  '@reboot',
  '60 8 * * *',
  '5/15 8 * * *',
  'cron(0 8 * * ? *)',
];

const INVALID_ZONES = ['Mars/Base', 'BST'];

/** What a run is for. */
export type Purpose = 'dump' | 'drill';

/** The schedule tag for drills, whose time zone is that of the dumps. */
export type DrillTag = Pick<Tags, 'schedule' | 'valid'>;

/** Half of the schedules for drills are those of the dumps. */
export function randomDrillTag(id: string, random: Random, busy: boolean, dumps: Tags | undefined): DrillTag {
  const { schedule } = dumps !== undefined && random.chance(`same|${id}`, 0.5) ? dumps : randomTags(id, random, busy);
  return { schedule, valid: !INVALID_SCHEDULES.includes(schedule) };
}

/** The tags that drills follow. */
export function drillTags({ schedule, valid }: DrillTag, dumps: Tags | undefined): Tags {
  const timezone = dumps?.timezone;
  return { schedule, timezone, valid: valid && !INVALID_ZONES.includes(timezone ?? '') };
}

/**
 * Tags as people write them: most daily or weekly, some unusual, a few invalid.
 *
 * @param busy whether most schedules are hourly or more frequent, for many runs in little time
 */
export function randomTags(id: string, random: Random, busy: boolean): Tags {
  const timezone = random.weighted<string | undefined>(`timezone|${id}`, [
    [3, undefined],
    [2, 'UTC'],
    [4, random.one(`zone|${id}`, ZONES)],
    [3, random.one(`odd zone|${id}`, UNUSUAL_ZONES)],
  ]);
  if (random.chance(`wrong|${id}`, 0.06)) {
    return random.chance(`wrong zone|${id}`, 0.3)
      ? { schedule: '0 8 * * *', timezone: random.one(`no zone|${id}`, INVALID_ZONES), valid: false }
      : { schedule: random.one(`wrong tag|${id}`, INVALID_SCHEDULES), timezone, valid: false };
  }
  return { schedule: randomSchedule(id, random, busy), timezone, valid: true };
}

/** The same schedule in the alternative notation. */
export function rephrased({ schedule, ...tags }: Tags): Tags {
  const fields = schedule.split(' ').map((field) => (field === '*' ? '-' : field === '-' ? '*' : field));
  return { ...tags, schedule: fields.join(' ') };
}

function randomSchedule(id: string, random: Random, busy: boolean): string {
  const number = (name: string, min: number, max: number): number => random.integer(`${name}|${id}`, min, max);
  const [minute, hour] = [number('minute', 0, 59), number('hour', 0, 23)];
  // Hours around clock changes.
  const night = number('night', 0, 3);
  return random.weighted(`schedule|${id}`, [
    [18, `${minute} ${hour} * * *`],
    [6, `${minute} ${night} * * *`],
    [1, '@daily'],
    [8, `${minute} ${hour} - - 1-5`],
    [14, `${minute} ${hour} * * ${number('weekday', 0, 7)}`],
    [2, '@weekly'],
    [2, `${minute} ${hour} ? * ${random.one(`week|${id}`, ['MON-SUN', 'FRI-MON', '0,7', '1-5,5', '6-1'])}`],
    [1, `${minute} 22-2 * * *`],
    [1, '@midnight'],
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
