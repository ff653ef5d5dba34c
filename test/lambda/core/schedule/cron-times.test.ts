import { expect, test } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { wallTimesAfter } from '../../../../lambda/core/schedule/cron-times.ts';
import { parseCron } from '../../../../lambda/core/schedule/cron.ts';

function first(count: number, expression: string, after: Date): readonly string[] {
  const times = wallTimesAfter(parseCron(expression), after.getTime());
  return Array.from({ length: count }, () => new Date(times.next().value).toISOString());
}

const field = (min: number, max: number) => {
  const number = fc.integer({ min, max });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  return fc.oneof(
    fc.constant('*'),
    number.map(String),
    range,
    fc.integer({ min: 2, max: Math.min(max, 30) }).map((step) => `*/${step}`),
    fc.uniqueArray(number, { minLength: 2, maxLength: 3 }).map((numbers) => numbers.join(',')),
  );
};

test('wall-clock times are those at which cron-parser finds the expression due in UTC', () => {
  const minute = field(0, 59).filter((text) => !['*', '0-59'].includes(text));
  const expression = fc
    .tuple(minute, field(0, 23), field(1, 29), field(1, 12), field(0, 6))
    .map((fields) => fields.join(' '));
  const time = fc.date({ min: new Date('2026-01-01'), max: new Date('2036-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(expression, time, (tag, after) => {
      const cron = CronExpressionParser.parse(tag, { tz: 'UTC', currentDate: after });
      expect(first(5, tag, after)).toEqual(cron.take(5).map((date) => date.toISOString()));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['0 0 29 2 *', '2096-03-01T00:00:00Z', '2104-02-29T00:00:00.000Z'],
  ['0 0 31 * *', '2026-04-01T00:00:00Z', '2026-05-31T00:00:00.000Z'],
  ['0 8 * * 7', '2026-11-20T08:00:00Z', '2026-11-22T08:00:00.000Z'],
  ['0 0 13 * 5', '2026-11-14T00:00:00Z', '2026-11-20T00:00:00.000Z'],
  ['30 4 * * *', '2026-11-22T04:30:00Z', '2026-11-23T04:30:00.000Z'],
])('%p after %s is due at %s', (expression, after, due) => {
  expect(first(1, expression, new Date(after))).toEqual([due]);
});
