import { expect, test } from '@jest/globals';
import { type KnownProblems, newProblems, readKnownProblems } from '../../../../lambda/core/notify/known-problems.ts';

const HOUR = 60 * 60_000;
const START = Date.parse('2026-11-22T08:00:00Z');

/** What is new to each of several scans, by hours from the start. */
function newIn(scans: readonly [hour: number, problems: readonly string[]][]): readonly (readonly string[])[] {
  let known: KnownProblems = readKnownProblems('{}');
  return scans.map(([hour, problems]) => {
    const result = newProblems(problems, known, new Date(START + hour * HOUR));
    known = readKnownProblems(JSON.stringify(result.known));
    return result.problems;
  });
}

test('a problem is new once, as long as scans have it, and again a day after it was solved', () => {
  expect(
    newIn([
      [0, ['a: broken']],
      [1, ['a: broken', 'b: refused']],
      [23, ['a: broken']],
      [46, ['a: broken', 'b: refused']],
      [71, ['a: broken']],
    ]),
  ).toEqual([['a: broken'], ['b: refused'], [], ['b: refused'], ['a: broken']]);
});
