import { expect, test } from '@jest/globals';
import type { FinishedEntry } from '../../../../docker/engine/parallel/data-block.ts';
import { FinishedEntries, problemIn } from '../../../../docker/engine/parallel/finished-entries.ts';

/** @param afterFirst called when the first batch has come */
async function batchesOf(finished: FinishedEntries, afterFirst: () => void = () => undefined) {
  const batches: (readonly FinishedEntry[])[] = [];
  for await (const batch of finished.batches()) {
    batches.push(batch);
    if (batches.length === 1) {
      afterFirst();
    }
  }
  return batches;
}

test.each([
  ['pg_dump: reading extensions', undefined],
  ['pg_dump: finished item 3021 TABLE DATA orders', undefined],
  ['pg_dump: dumping contents of table "public.orders"', undefined],
  ['pg_dump: warning: there are circular constraints', 'pg_dump: warning: there are circular constraints'],
  ['pg_dump: error: query failed: ERROR:  canceled', 'pg_dump: error: query failed: ERROR:  canceled'],
  ['pg_dump: terminated by user', 'pg_dump: terminated by user'],
  ['DETAIL:  the rest of a message', 'DETAIL:  the rest of a message'],
  // Those of several processes may mix.
  ['pg_dump:pg_dump: finished item 3021 TABLE DATA orders', undefined],
  ['pg_dump: error: finished item 3021 TABLE DATA orders', undefined],
  ['pg_dump:pg_dump:  error: query failed', 'pg_dump: error: query failed'],
  ['error: query failed', 'pg_dump: error: query failed'],
  ['query failed', 'query failed'],
])('of the line %p, %p is about a problem', (line, problem) => {
  expect(problemIn(line)).toBe(problem);
});

test.each(['pg_dump:pg_dump:  ', 'pg_dump: error: ', '', ' '])('a message is found after %p', async (beginning) => {
  const finished = new FinishedEntries();
  finished.read(`${beginning}finished item 3021 TABLE DATA orders`);
  finished.end();
  expect(await batchesOf(finished)).toEqual([[{ id: 3021, kind: 'TABLE DATA' }]]);
});

test('finished tables come in batches, and large objects when pg_dump has ended', async () => {
  const finished = new FinishedEntries();
  const lines = (...texts: readonly string[]) => {
    for (const text of texts) {
      finished.read(`pg_dump: ${text}`);
    }
  };
  lines('finished item 1 TABLE DATA one', 'finished item 2 BLOBS BLOBS', 'finished item 3 TABLE DATA three');
  const batches = await batchesOf(finished, () => {
    setImmediate(() => {
      lines('dumping contents of table "public.four"', 'finished item 4 TABLE DATA four');
      finished.end();
    });
  });
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
  expect(await batchesOf(finished)).toEqual([]);
});
