import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextTime, parseSchedule } from '../../../../lambda/core/schedule/schedule.ts';
import { dueTimes } from '../../../../simulation/checker/oracle.ts';

const ZONES = Intl.supportedValuesOf('timeZone');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The wall-clock time in a zone, computed by Intl, so that the tests share no code with the implementation. */
function clock(zone: string): (instant: Date) => { readonly day: string; readonly time: string } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return (instant) => {
    const [day, time] = format.format(instant).split(' ');
    return { day: String(day), time: String(time) };
  };
}

function runs(expression: string, zone: string, from: string, to: string): string[] {
  const schedule = parseSchedule(expression, zone);
  const times: string[] = [];
  let next = nextTime(schedule, new Date(Date.parse(from) - 1));
  while (next < new Date(to)) {
    times.push(next.toISOString().replace(':00.000Z', 'Z'));
    next = nextTime(schedule, next);
  }
  return times;
}

describe('a schedule', () => {
  test.each([
    ['0 8 * * 1-5', 'UTC', '2026-11-20T08:00:00Z', '2026-11-23T08:00:00.000Z'],
    ['0 8 - - 1-5', 'UTC', '2026-11-20T08:00:00Z', '2026-11-23T08:00:00.000Z'],
    ['0:30 8 * * *', 'UTC', '2026-11-20T08:00:00Z', '2026-11-20T08:30:00.000Z'],
    ['  15   4 1 * *  ', 'UTC', '2026-11-20T08:00:00Z', '2026-12-01T04:15:00.000Z'],
    ['0 8 * JAN MON', 'UTC', '2026-11-20T08:00:00Z', '2027-01-04T08:00:00.000Z'],
    ['0 8 * * 7', 'UTC', '2026-11-20T08:00:00Z', '2026-11-22T08:00:00.000Z'],
    ['*/15 * * * *', 'UTC', '2026-11-20T08:01:30Z', '2026-11-20T08:15:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-11-20T08:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 13 * 5', 'UTC', '2026-11-14T08:00:00Z', '2026-11-20T00:00:00.000Z'],
    // Restricted, so either day is enough, though Vixie cron wants both.
    ['0 8 */2 * 1', 'UTC', '2026-11-02T08:00:00Z', '2026-11-03T08:00:00.000Z'],
    ['@hourly', 'UTC', '2026-11-20T08:00:00Z', '2026-11-20T09:00:00.000Z'],
    ['@daily', 'America/Denver', '2026-11-20T08:00:00Z', '2026-11-21T07:00:00.000Z'],
    ['@Weekly ', 'UTC', '2026-11-20T08:00:00Z', '2026-11-22T00:00:00.000Z'],
    ['@yearly', 'UTC', '2026-11-20T08:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['30 23 31 12 *', 'Pacific/Kiritimati', '2026-12-31T09:00:00Z', '2026-12-31T09:30:00.000Z'],
  ])('%p in %s after %s is next due at %s', (expression, zone, after, due) => {
    expect(nextTime(parseSchedule(expression, zone), new Date(after)).toISOString()).toBe(due);
  });

  test.each([
    ['1,1 8 * * *', '1 8 * * *'],
    ['1-5,5 8 * * *', '1,2,3,4,5 8 * * *'],
    ['0 8 * * 0,7', '0 8 * * 0'],
    ['0 8 * * 0-4,3-6', '0 8 * * *'],
    ['0 8 * * MON-SUN', '0 8 * * *'],
    ['0 8 * * sat-Sun', '0 8 * * 6,0'],
    ['0 8 * * 5-7', '0 8 * * 5,6,0'],
    ['0 8 * * 7-2', '0 8 * * 0,1,2'],
    ['0 8 * * 6-1', '0 8 * * 6,0,1'],
    ['0 8 * * FRI-MON/2', '0 8 * * 5,0'],
    ['0 22-2 * * *', '0 0,1,2,22,23 * * *'],
    ['0 22-4/3 * * *', '0 1,4,22 * * *'],
    ['50-10/10 8 * * *', '0,10,50 8 * * *'],
    ['0 8 30-2 * *', '0 8 1,2,30,31 * *'],
    ['0 8 * NOV-FEB *', '0 8 * 1,2,11,12 *'],
    ['@midnight', '@daily'],
    ['0 8 ? * 1', '0 8 * * 1'],
    ['0 8 1 * ?', '0 8 1 * *'],
    ['0 8 ? * ?', '0 8 * * *'],
    ['5-59/15 8 * * *', '5,20,35,50 8 * * *'],
    // As in Kubernetes and Vixie cron, such a day field restricts nothing.
    ['0 8 */1 * 1', '0 8 * * 1'],
    ['0 8 *,1 * 1', '0 8 * * 1'],
    ['0 8 1 * */1', '0 8 1 * *'],
    // Whereas in both a range restricts, so that either day is enough.
    ['0 8 1-31 * 1', '0 8 * * *'],
    ['0 8 1 * 0-6', '0 8 * * *'],
  ])('%p means %p', (expression, plain) => {
    const year = ['2026-11-20T08:00:00Z', '2027-11-20T08:00:00Z'] as const;
    expect(runs(expression, 'UTC', ...year)).toEqual(runs(plain, 'UTC', ...year));
  });

  test('every schedule is due when the oracle of the simulation finds it due', () => {
    const field = (min: number, max: number, names: readonly string[] = []) => {
      const value = fc.oneof(fc.integer({ min, max }).map(String), ...names.map((name) => fc.constant(name)));
      const range = fc.tuple(value, value).map(([first, last]) => `${first}-${last}`);
      const step = fc.integer({ min: 1, max: Math.min(max, 12) });
      const stepped = fc.tuple(fc.oneof(fc.constant('*'), range), step).map(([all, every]) => `${all}/${every}`);
      const list = fc.array(fc.oneof(value, range, stepped), { minLength: 1, maxLength: 3 });
      return fc.oneof(
        fc.constantFrom('*', '-'),
        list.map((items) => items.join(',')),
        list.map((items) => items.join(':')),
      );
    };
    const day = (...of: Parameters<typeof field>) => fc.oneof(fc.constant('?'), field(...of));
    const expression = fc
      .tuple(
        fc.integer({ min: 0, max: 59 }).map(String),
        field(0, 23),
        day(1, 28),
        field(1, 12, ['JAN', 'nov', 'Feb']),
        day(0, 7, ['SUN', 'mon', 'Sat']),
      )
      .map((fields) => fields.join(' '));
    const start = fc.date({ min: new Date('2026-01-01'), max: new Date('2036-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(expression, fc.constantFrom(...ZONES), start, (tag, zone, from) => {
        const to = new Date(from.getTime() + 20 * DAY);
        const due = dueTimes(tag, zone, from.getTime(), to.getTime());
        const schedule = parseSchedule(tag, zone);
        const found: number[] = [];
        for (let next = nextTime(schedule, new Date(from.getTime() - 1)); next < to; next = nextTime(schedule, next)) {
          found.push(next.getTime());
        }
        expect(found).toEqual(due);
      }),
      { numRuns: 200 },
    );
  });
});

describe('around a clock shift', () => {
  test.each([
    {
      name: 'a skipped time runs as much later as the clock jumped',
      schedule: ['30 2 * * *', 'America/Denver', '2026-03-07T00:00:00Z', '2026-03-10T00:00:00Z'],
      due: ['2026-03-07T09:30Z', '2026-03-08T09:30Z', '2026-03-09T08:30Z'],
    },
    {
      name: 'a repeated time runs once, on its first occurrence',
      schedule: ['30 1 * * *', 'America/Denver', '2026-11-01T00:00:00Z', '2026-11-03T00:00:00Z'],
      due: ['2026-11-01T07:30Z', '2026-11-02T08:30Z'],
    },
    {
      name: 'an hourly schedule runs in both repeated hours',
      schedule: ['0 * * * *', 'America/Denver', '2026-11-01T06:30:00Z', '2026-11-01T10:30:00Z'],
      due: ['2026-11-01T07:00Z', '2026-11-01T08:00Z', '2026-11-01T09:00Z', '2026-11-01T10:00Z'],
    },
    {
      name: 'an hourly schedule omits the hour that does not exist, and runs no other twice',
      schedule: ['0 * * * *', 'America/Denver', '2026-03-08T08:00:00Z', '2026-03-08T11:00:00Z'],
      due: ['2026-03-08T08:00Z', '2026-03-08T09:00Z', '2026-03-08T10:00Z'],
    },
    {
      name: 'a shift of half an hour counts',
      schedule: ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', '2026-10-05T00:00:00Z'],
      due: ['2026-10-03T15:45Z', '2026-10-04T15:15Z'],
    },
    {
      name: 'a time that a skipped half hour delays may come after a later one',
      schedule: ['15,40 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-04T12:00:00Z'],
      due: ['2026-10-03T15:40Z', '2026-10-03T15:45Z'],
    },
    {
      name: 'a repeated half hour counts',
      schedule: ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T12:00:00Z', '2026-04-06T00:00:00Z'],
      due: ['2026-04-03T14:45Z', '2026-04-04T14:45Z', '2026-04-05T15:15Z'],
    },
    {
      name: 'a shift of two hours counts',
      schedule: ['30 1 * * *', 'Antarctica/Troll', '2026-10-24T00:00:00Z', '2026-10-26T12:00:00Z'],
      due: ['2026-10-24T23:30Z', '2026-10-26T01:30Z'],
    },
    {
      name: 'a time skipped before midnight runs after it, in the same night',
      schedule: ['30 23 * * *', 'America/Nuuk', '2027-03-26T12:00:00Z', '2027-03-29T12:00:00Z'],
      due: ['2027-03-27T01:30Z', '2027-03-28T01:30Z', '2027-03-29T00:30Z'],
    },
    {
      name: 'a midnight that does not exist runs an hour later',
      schedule: ['0 0 * * *', 'Africa/Cairo', '2026-04-23T00:00:00Z', '2026-04-26T00:00:00Z'],
      due: ['2026-04-23T22:00Z', '2026-04-24T21:00Z', '2026-04-25T21:00Z'],
    },
  ])('$name', ({ schedule: [expression = '', zone = '', from = '', to = ''], due }) => {
    expect(runs(expression, zone, from, to)).toEqual(due);
  });

  test('a daily schedule runs once a day, in every zone, around every clock shift until 2036', () => {
    const violations: string[] = [];
    // Zones with the same shifts are tested once.
    const clocks = new Map(ZONES.map((zone) => [JSON.stringify(transitions(zone)), zone]));
    for (const [times, zone] of clocks) {
      const wallClock = clock(zone);
      for (const transition of (JSON.parse(times) as [string, string][]).map(([time]) => new Date(time))) {
        for (const expression of ['0 0 * * *', '15 1 * * *', '30 2 * * *', '59 23 * * *']) {
          const schedule = parseSchedule(expression, zone);
          const days: number[] = [];
          for (let next = new Date(transition.getTime() - 2 * DAY); days.length < 4;) {
            next = nextTime(schedule, next);
            days.push(scheduledDay(expression, wallClock(next)));
          }
          if (days.some((day, i) => i > 0 && day !== Number(days[i - 1]) + DAY)) {
            violations.push(`${expression} in ${zone} about ${transition.toISOString()}`);
          }
        }
      }
    }
    expect(violations).toEqual([]);
  });

  test('no valid schedule throws, or repeats or goes back in time, in any zone, at any time from 2026 to 2036', () => {
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min, max }).map(String),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.integer({ min: 2, max: Math.min(max, 30) }).map((step) => `*/${step}`),
      );
    const expression = fc
      .tuple(fc.integer({ min: 0, max: 59 }).map(String), field(0, 23), field(1, 28), field(1, 12), field(0, 7))
      .map((fields) => fields.join(' '));
    const time = fc.date({ min: new Date('2026-01-01'), max: new Date('2036-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(expression, fc.constantFrom(...ZONES), time, (tag, zone, after) => {
        const schedule = parseSchedule(tag, zone);
        const next = nextTime(schedule, after);
        expect(next.getTime()).toBeGreaterThan(after.getTime());
        expect(next.getTime() % MINUTE).toBe(0);
        // Nothing is due in between: the result is the same from any earlier instant.
        const between = new Date(after.getTime() + Math.floor((next.getTime() - after.getTime()) / 2));
        expect(nextTime(schedule, between)).toEqual(next);
        expect(nextTime(schedule, new Date(next.getTime() - 1))).toEqual(next);
      }),
      { numRuns: 1000 },
    );
  });
});

/** The instants of a zone's clock shifts from 2026 to 2036, each with the new offset, computed by Intl. */
function transitions(zone: string): (readonly [time: string, offset: string])[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const offset = (time: number) => String(format.format(time).split(' ')[1]);
  const found: (readonly [string, string])[] = [];
  // No clock is shifted and shifted back within a fortnight: the shortest such period is a Ramadan.
  const step = 14 * DAY;
  for (let time = Date.parse('2026-01-01'); time < Date.parse('2037-01-01'); time += step) {
    if (offset(time) !== offset(time + step)) {
      let [before, after] = [time, time + step];
      while (after - before > MINUTE) {
        const middle = Math.floor((before + after) / 2);
        [before, after] = offset(middle) === offset(before) ? [middle, after] : [before, middle];
      }
      found.push([new Date(after).toISOString(), offset(after)]);
    }
  }
  return found;
}

/** The day that a run is for: a shift may delay it by up to three hours, and so past midnight. NaN if by more. */
function scheduledDay(expression: string, { day, time }: { readonly day: string; readonly time: string }): number {
  const [minute, hour] = expression.split(' ').map(Number);
  const late = Date.parse(`1970-01-01T${time}:00Z`) - (Number(hour) * 60 + Number(minute)) * MINUTE;
  const lateness = late < 0 ? late + DAY : late;
  return lateness > 3 * 60 * MINUTE ? NaN : Date.parse(`${day}T00:00:00Z`) - (late < 0 ? DAY : 0);
}
