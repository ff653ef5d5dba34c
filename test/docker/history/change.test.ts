import { expect, test } from '@jest/globals';
import { changeOf, inWords } from '../../../docker/history/change.ts';
import type { TableInDump } from '../../../docker/history/read-table.ts';

function counted(rows: number, bytes: number, hash = 'a'): TableInDump {
  return { kind: 'counted', rows, bytes, hash };
}

test.each([
  [counted(1, 1500), '1 row, 1.5 kB'],
  [{ kind: 'estimated', rows: 20 }, 'about 20 rows'],
  [{ kind: 'estimated', rows: null }, 'an unknown number of rows'],
  [
    { kind: 'counted', rows: 9, bytes: 90, hash: 'a', partitions: { counted: 3, withoutRows: 0 } },
    '9 rows, 90 bytes in 3 partitions',
  ],
  [
    { kind: 'counted', rows: 9, bytes: 90, hash: 'a', partitions: { counted: 1, withoutRows: 2 } },
    '9 rows, 90 bytes in 1 partition, without the rows of 2 more',
  ],
  [{ kind: 'no table' }, 'no such table in its manifest'],
  [{ kind: 'no rows', reason: 'filters left its rows out' }, 'no rows: filters left its rows out'],
  [{ kind: 'unknown', reason: 'there is no manifest' }, 'unknown: there is no manifest'],
] as const)('%j is described', (table, words) => {
  expect(inWords(table)).toBe(words);
});

test.each([
  [counted(20, 100), counted(20, 100), 'the same rows'],
  [counted(20, 2000), counted(20, 100, 'b'), 'as many rows, with other contents, -1.9 kB'],
  [counted(20, 100), counted(10, 120, 'b'), '-10 rows, +20 bytes'],
  [counted(20, 100), counted(21, 100, 'b'), '+1 row, +0 bytes'],
  [undefined, counted(20, 100), ''],
  [counted(20, 100), { kind: 'estimated', rows: 20 }, ''],
] as const)('%j and then %j is a change', (before, table, words) => {
  expect(changeOf(before, table)).toBe(words);
});
