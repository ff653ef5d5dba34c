import { expect, test } from '@jest/globals';
import { historyOf } from '../../../../lambda/core/freshness/history.ts';
import type { Watch } from '../../../../lambda/core/freshness/memory.ts';

/** The dumps of these days of November, each of as many bytes as its day. */
function found(...days: readonly number[]) {
  const sizes = new Map(days.map((day) => [`2026-11-${String(day).padStart(2, '0')}T08:00:00Z`, day]));
  return { sizes, newest: days.length === 0 ? undefined : newestOf(Math.max(...days)) };
}

function newestOf(day: number) {
  return { bucket: 'dumps', key: `a/a-202611${String(day).padStart(2, '0')}T080000Z.dmp` };
}

function before(sizes: readonly number[]): Watch {
  const last = sizes.at(-1);
  return { tagsHash: 'hash', sizes, newest: last === undefined ? undefined : newestOf(last) };
}

test.each<[string, Watch | undefined, readonly number[], readonly number[], readonly number[]]>([
  ['begins with all dumps, none of which counts as new', undefined, [3, 1, 2], [1, 2, 3], []],
  ['begins with all dumps if only the newest was known', { ...before([2]), sizes: undefined }, [1, 2], [1, 2], []],
  ['goes on with what is newer, in the order of time', before([1, 2]), [4, 2, 3], [1, 2, 3, 4], [3, 4]],
  ['counts the first dump of a secret as new', before([]), [5], [5], [5]],
  ['stays if the newest is still the same', before([1, 2]), [2], [1, 2], []],
  ['begins anew if the newest is gone', before([1, 2, 3]), [2, 1], [1, 2], []],
  ['is empty if all are gone', before([1]), [], [], []],
])('the history of sizes %s', (_, watch, days, sizes, added) => {
  expect(historyOf(watch, found(...days))).toEqual({ sizes, added });
});

test('the run of the newest dump may have dumped more databases since', () => {
  const { newest } = found(2);
  expect(historyOf(before([1, 2]), { newest, sizes: new Map([['2026-11-02T08:00:00Z', 7]]) })).toEqual({
    sizes: [1, 7],
    added: [5],
  });
});

test('the history has 30 sizes at most', () => {
  const thirty = Array.from({ length: 30 }, (_, index) => index + 1);
  expect(historyOf(before(thirty.slice(0, 29)), found(29, 30)).sizes).toEqual(thirty);
  expect(historyOf({ ...before(thirty), newest: newestOf(29) }, found(30)).sizes).toEqual([...thirty.slice(1), 30]);
});
