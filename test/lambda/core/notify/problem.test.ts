import { expect, test } from '@jest/globals';
import { isNewProblem, keyOfProblem } from '../../../../lambda/core/notify/problem.ts';

const HOUR = 60 * 60_000;

test.each([
  ['never seen', undefined, true],
  ['of the last scan', '2026-11-22T07:00:00Z', false],
  ['of three scans ago, as when two of them failed', '2026-11-22T05:00:00Z', false],
  ['that no scan has had since', '2026-11-22T04:00:00Z', true],
])('a problem %s is new: %s -> %s', (_, seen, isNew) => {
  expect(isNewProblem(seen, new Date('2026-11-22T08:00:01Z'), HOUR)).toBe(isNew);
});

test('texts that differ only in times and in the IDs of requests are of one problem', () => {
  const timedOut = (time: string, id: string) =>
    keyOfProblem(`Error: ${time} ${id} Task timed out after 900.00 seconds`);
  expect(timedOut('2026-11-22T08:15:00.123Z', '160788cd-1111-4222-8333-444455556666')).toBe(
    timedOut('2026-11-22T09:15:00.456Z', 'abcdef01-1111-4222-8333-444455556666'),
  );
  expect(keyOfProblem('a: broken')).not.toBe(keyOfProblem('b: broken'));
});
