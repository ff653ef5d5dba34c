import { expect, test } from '@jest/globals';
import { tableIn } from '../../../docker/history/read-table.ts';

const ORDERS = { schema: 'public', name: 'orders' };

function table(name: string, provenRows: number | null, contentHash: string | null, more = {}) {
  return { schema: 'public', name, rows: 1, provenRows, contentHash, length: provenRows, ...more };
}

const OF_ORDERS = { partitionOf: 'public.orders' };

test.each([
  [
    'a plain table',
    [table('orders', 3, 'aa'), table('other', 9, 'bb')],
    { kind: 'counted', rows: 3, bytes: 3, hash: 'aa' },
  ],
  [
    'a partitioned table, whose partitions are added up',
    [
      table('p1', 3, 'ff00000000000001', OF_ORDERS),
      table('p2', 4, '0100000000000001', OF_ORDERS),
      table('p3', 9, 'bb'),
    ],
    {
      ...{ kind: 'counted', rows: 7, bytes: 7, hash: '0000000000000002' },
      partitions: { counted: 2, withoutRows: 0 },
    },
  ],
  [
    'a partition whose rows are not in the dump',
    [table('p1', 3, '0000000000000001', OF_ORDERS), table('p2', null, null, OF_ORDERS)],
    { kind: 'counted', rows: 3, bytes: 3, hash: '0000000000000001', partitions: { counted: 1, withoutRows: 1 } },
  ],
  [
    'only partitions whose rows are not in the dump',
    [table('p1', null, null, OF_ORDERS)],
    { kind: 'no rows', reason: 'it has none of its rows' },
  ],
  ['no such table', [table('other', 3, 'aa')], { kind: 'no table' }],
])('a manifest with %s', (_, tables, expected) => {
  expect(tableIn(JSON.stringify({ manifestVersion: 1, tables }), ORDERS).table).toEqual(expected);
});

test('the names that could have been meant include the partitioned table', () => {
  const manifest = { manifestVersion: 1, tables: [table('p1', 1, 'aa', OF_ORDERS), table('p2', 1, 'aa', OF_ORDERS)] };
  expect(tableIn(JSON.stringify(manifest), { schema: 'public', name: 'order' }).names).toEqual([
    ...['public.p1', 'public.orders', 'public.p2'],
  ]);
});
