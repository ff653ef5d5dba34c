import { expect, test } from '@jest/globals';
import { ignoredTags } from '../../../docker/plan/misspelled-names.ts';
import { expiryOf, retentionOf } from '../../../docker/plan/retention.ts';
import { givenBy } from '../../../docker/plan/secret-fields.ts';
import { parseDumpSettings } from '../../../docker/plan/secret.ts';

const VALUE = { username: 'a', password: 'b', databasename: 'app', endpoint: 'db.example.com', engine: 'postgres' };

function parse(fields: object, tags: Readonly<Record<string, string>> = {}, retentionDays = 120) {
  const value = JSON.stringify({ ...VALUE, ...fields });
  const given = givenBy({ name: 'prod/app', value, tags: new Map(Object.entries(tags)) });
  return parseDumpSettings(given, { buckets: ['dumps', 'more-dumps'], retentionDays });
}

test.each([
  [undefined, 120, 'stack', 120],
  [1, 120, '7', 7],
  [7, 120, '7', 7],
  [8, 120, '14', 14],
  [35, 120, '35', 35],
  [36, 120, '90', 90],
  [91, 120, 'stack', 120],
  [120, 120, 'stack', 120],
  [30, 35, 'stack', 35],
  [7, 7, 'stack', 7],
  [3, 5, 'stack', 5],
  [366, 1000, 'stack', 1000],
])('%p days of a stack that keeps dumps for %i are the class %s, of %i days', (days, stackDays, retention, expiry) => {
  expect(retentionOf(days, stackDays)).toBe(retention);
  expect(expiryOf(retention, stackDays)).toBe(expiry);
});

test.each([
  ['a number in the value', { retentiondays: 10 }, {}],
  ['text in the value', { retentiondays: ' 10 ' }, {}],
  ['a tag', {}, { 'autodump:retentiondays': '10 ' }],
  ['both, with the same content', { retentiondays: 10 }, { 'autodump:retentiondays': '10' }],
])('the retention may be %s', (_, fields, tags) => {
  expect(parse(fields, tags).retention).toBe('14');
});

test('the storage class may be in the value or a tag, and in any bucket', () => {
  expect(parse({}).storageClass).toBeUndefined();
  expect(parse({ storageclass: 'STANDARD' }).storageClass).toBe('STANDARD');
  expect(parse({ storageclass: 'STANDARD_IA', bucketname: 'more-dumps' })).toMatchObject({
    storageClass: 'STANDARD_IA',
    retention: undefined,
  });
  expect(parse({}, { 'autodump:storageclass': 'GLACIER_IR' }).storageClass).toBe('GLACIER_IR');
});

const DAYS =
  "a whole number from 1 to 120, the stack's context value retentionDays; it is rounded up to 7, 14, 35, 90, 120";

test.each<readonly [string, object, Readonly<Record<string, string>>]>([
  [`retentiondays must be ${DAYS}`, { retentiondays: 121 }, {}],
  [`retentiondays must be ${DAYS}`, { retentiondays: 0 }, {}],
  [`retentiondays must be ${DAYS}`, { retentiondays: 1.5 }, {}],
  [`the tag autodump:retentiondays must be ${DAYS}`, {}, { 'autodump:retentiondays': 'forever' }],
  [
    'retentiondays differs from the tag autodump:retentiondays',
    { retentiondays: 7 },
    { 'autodump:retentiondays': '14' },
  ],
  ['"retentionDays" must be written retentiondays', { retentionDays: 7 }, {}],
  ['the tag "autodump:retention-days" must be written autodump:retentiondays', {}, { 'autodump:retention-days': '7' }],
  [
    'retentiondays is only for dumps, but the dump goes to more-dumps',
    { retentiondays: 7, bucketname: 'more-dumps' },
    {},
  ],
  ['storageclass must be STANDARD, STANDARD_IA, GLACIER_IR.', { storageclass: 'ONEZONE_IA' }, {}],
  ['storageclass must be STANDARD, STANDARD_IA, GLACIER_IR.', { storageclass: 'standard' }, {}],
  ['storageclass is GLACIER, whose objects cannot be read until S3 has restored them', { storageclass: 'GLACIER' }, {}],
  [
    'the tag autodump:storageclass is DEEP_ARCHIVE, whose objects cannot be read',
    {},
    { 'autodump:storageclass': 'DEEP_ARCHIVE' },
  ],
])('what is not possible is refused: %s', (problem, fields, tags) => {
  expect(() => parse(fields, tags)).toThrow(problem);
});

test.each([
  ['50 public.sessions=off', 0],
  ['off', 0],
  ['50%', 1],
  ['', 1],
])('the tag autodump:vanished with the value %p has %i warnings', (value, count) => {
  expect(ignoredTags(new Map([['autodump:vanished', value]]))).toHaveLength(count);
});
