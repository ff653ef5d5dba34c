import { expect, test } from '@jest/globals';
import { durationOf } from '../../../../lambda/core/words/duration.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test.each([
  [MINUTE - 1, 'less than a minute'],
  [2 * MINUTE, '2 min'],
  [2 * HOUR, '2 h'],
  [2 * HOUR + 14 * MINUTE, '2 h 14 min'],
  [24 * HOUR + 14 * MINUTE, '1 d'],
  [26 * HOUR + 14 * MINUTE, '1 d 2 h'],
])('%d milliseconds are %s', (milliseconds, words) => {
  expect(durationOf(milliseconds)).toBe(words);
});
