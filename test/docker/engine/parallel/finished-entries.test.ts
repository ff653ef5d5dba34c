import { expect, test } from '@jest/globals';
import type { FinishedEntry } from '../../../../docker/engine/parallel/data-block.ts';
import { FinishedEntries, isProgress } from '../../../../docker/engine/parallel/finished-entries.ts';

test.each([
  ['pg_dump: reading extensions', true],
  ['pg_dump: finished item 3021 TABLE DATA orders', true],
  ['pg_dump: dumping contents of table "public.orders"', true],
  ['pg_dump: warning: there are circular foreign-key constraints', false],
  ['pg_dump: detail: orders', false],
  ['pg_dump: hint: You might not be able to restore', false],
  ['pg_dump: error: query failed: ERROR:  canceling statement', false],
  ['pg_dump: terminated by user', false],
  ['DETAIL:  the rest of a message', false],
])('%p is progress: %p', (line, expected) => {
  expect(isProgress(line)).toBe(expected);
});

test('finished tables come in batches, and large objects when pg_dump has ended', async () => {
  const finished = new FinishedEntries();
  const lines = (...texts: readonly string[]) => {
    for (const text of texts) {
      finished.read(`pg_dump: ${text}`);
    }
  };
  lines('finished item 1 TABLE DATA one', 'finished item 2 BLOBS BLOBS', 'finished item 3 TABLE DATA three');
  const batches: (readonly FinishedEntry[])[] = [];
  for await (const batch of finished.batches()) {
    batches.push(batch);
    if (batches.length === 1) {
      setImmediate(() => {
        lines('dumping contents of table "public.four"', 'finished item 4 TABLE DATA four');
        finished.end();
      });
    }
  }
  expect(batches.map((batch) => batch.map(({ id, kind }) => `${id} ${kind}`))).toEqual([
    ['1 TABLE DATA', '3 TABLE DATA'],
    ['4 TABLE DATA'],
    ['2 BLOBS'],
  ]);
});

test('a dump without rows has no batches', async () => {
  const finished = new FinishedEntries();
  finished.read('pg_dump: reading extensions');
  setImmediate(() => {
    finished.end();
  });
  await finished.begun;
  expect(await Array.fromAsync(finished.batches())).toEqual([]);
});
