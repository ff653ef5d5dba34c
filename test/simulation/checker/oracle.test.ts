import { describe, expect, test } from '@jest/globals';
import { dueTimes } from '../../../simulation/checker/oracle.ts';

function due(schedule: string, timezone: string, from: string, to: string): readonly string[] {
  return dueTimes(schedule, timezone, Date.parse(from), Date.parse(to)).map((time) =>
    new Date(time).toISOString().slice(5, 16),
  );
}

describe('the oracle knows that', () => {
  test.each([
    ['a daily schedule runs daily', '0 8 - - -', 'UTC', ['03-01T08:00', '03-02T08:00', '03-03T08:00']],
    ['a list is a list in either writing', '0 8:9 2 * *', 'UTC', ['03-02T08:00', '03-02T09:00']],
    ['names, ranges and steps mean days', '0 12 * MAR SUN-MON/1', 'UTC', ['03-01T12:00', '03-02T12:00']],
    ['either day will do if both are given', '0 0 3 * SUN', 'UTC', ['03-01T00:00', '03-03T00:00']],
    ['seven is Sunday', '5 4 * * 7', 'America/Denver', ['03-01T11:05']],
    [
      'a range may wrap',
      '0 22-1 ? * SUN-MON',
      'UTC',
      [
        '03-01T00:00',
        '03-01T01:00',
        '03-01T22:00',
        '03-01T23:00',
        '03-02T00:00',
        '03-02T01:00',
        '03-02T22:00',
        '03-02T23:00',
      ],
    ],
    [
      'a week may end with its Sunday, named or counted',
      '0 0 * * MON-SUN,0,7',
      'UTC',
      ['03-01T00:00', '03-02T00:00', '03-03T00:00'],
    ],
    ['aliases stand for schedules', '@monthly', 'Asia/Tokyo', []],
  ])('%s', (_, schedule, timezone, times) => {
    expect(due(schedule, timezone, '2026-03-01T00:00Z', '2026-03-04T00:00Z')).toEqual(times);
  });

  test.each([
    ['a skipped time is later', '30 2 * * *', '03-08', ['03-08T09:30']],
    ['a repeated time is the first one', '30 1 * * *', '11-01', ['11-01T07:30']],
    [
      'an hourly schedule runs in the repeated hour, too',
      '30 * * * *',
      '11-01',
      ['11-01T07:30', '11-01T08:30', '11-01T09:30'],
    ],
    [
      'an hourly schedule runs once when the clock jumps',
      '30 * * * *',
      '03-08',
      ['03-08T07:30', '03-08T08:30', '03-08T09:30'],
    ],
  ])('%s', (_, schedule, day, times) => {
    expect(due(schedule, 'America/Denver', `2026-${day}T07:00Z`, `2026-${day}T10:00Z`)).toEqual(times);
  });

  test('a step needs a range', () => {
    expect(() => due('5/15 8 * * *', 'UTC', '2026-03-01T00:00Z', '2026-03-04T00:00Z')).toThrow('5/15 is a step');
  });

  test('a skipped time is as much later as the clock jumped, be it half an hour', () => {
    expect(due('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-04T12:00Z')).toEqual(['10-03T15:45']);
  });
});
