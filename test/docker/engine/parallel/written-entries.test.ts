import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DumpFolder, WrittenEntry } from '../../../../docker/engine/parallel/data-block.ts';
import { mostOf, problemIn, WrittenEntries } from '../../../../docker/engine/parallel/written-entries.ts';

let folder: DumpFolder;

beforeEach(async () => {
  const path = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  folder = { path, compression: 'zstd:1', clientMajor: 18, buffer: Buffer.alloc(0) };
});

afterEach(async () => {
  await rm(folder.path, { recursive: true });
});

/** @param afterEvery called when a batch has come */
async function batchesOf(
  entries: WrittenEntries,
  afterEvery: (batch: readonly WrittenEntry[]) => void = () => undefined,
) {
  const batches: (readonly string[])[] = [];
  for await (const batch of entries.batches()) {
    batches.push(batch.map(({ id, kind, isComplete }) => `${id} ${kind}${isComplete() ? '' : ', growing'}`));
    afterEvery(batch);
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
  const entries = new WrittenEntries(folder);
  entries.read(`${beginning}finished item 3021 TABLE DATA orders`);
  entries.end();
  expect(await batchesOf(entries)).toEqual([['3021 TABLE DATA']]);
});

test('finished tables come in batches, and large objects when pg_dump has ended', async () => {
  const entries = new WrittenEntries(folder);
  const lines = (...texts: readonly string[]) => {
    for (const text of texts) {
      entries.read(`pg_dump: ${text}`);
    }
  };
  lines('finished item 1 TABLE DATA one', 'finished item 2 BLOBS BLOBS', 'finished item 3 TABLE DATA three');
  const later = [['dumping contents of table "public.four"', 'finished item 4 TABLE DATA four']];
  const batches = await batchesOf(entries, () => {
    setImmediate(() => {
      lines(...(later.pop() ?? []));
      entries.end();
    });
  });
  expect(batches).toEqual([['1 TABLE DATA', '3 TABLE DATA'], ['4 TABLE DATA'], ['2 BLOBS']]);
});

test('a dump without rows has no batches', async () => {
  const entries = new WrittenEntries(folder);
  entries.read('pg_dump: reading extensions');
  setImmediate(() => {
    entries.end();
  });
  await entries.begun;
  expect(await batchesOf(entries)).toEqual([]);
});

const MIB = 2 ** 20;

async function growTo(id: number, bytes: number): Promise<void> {
  const file = join(folder.path, `${id}.dat.zst`);
  await writeFile(file, '', { flag: 'a' });
  await truncate(file, bytes);
}

test('a table that is most of what is being written comes before it is complete, and only once', async () => {
  const entries = new WrittenEntries(folder);
  await Promise.all([growTo(1, 20 * MIB), growTo(2, 40 * MIB), growTo(3, 15 * MIB)]);
  // It is the file of no table.
  await writeFile(join(folder.path, 'toc.dat'), '');
  await growTo(4, 40 * MIB);
  entries.read('pg_dump: finished item 4 TABLE DATA four');
  const finish = [[], [2, 1], [3]];
  const batches = await batchesOf(entries, () => {
    for (const id of finish.shift() ?? []) {
      entries.read(`pg_dump: finished item ${id} TABLE DATA table`);
    }
    if (finish.length === 0) {
      entries.end();
    }
  });
  expect(batches).toEqual([['4 TABLE DATA'], ['2 TABLE DATA, growing'], ['1 TABLE DATA'], ['3 TABLE DATA']]);
});

test('what was being written when pg_dump ended will never be complete', async () => {
  const entries = new WrittenEntries(folder);
  await growTo(1, 20 * MIB);
  const begun: WrittenEntry[] = [];
  await batchesOf(entries, (batch) => {
    begun.push(...batch);
    entries.end();
  });
  expect(begun.map(({ id, isComplete }) => [id, isComplete])).toEqual([[1, expect.any(Function)]]);
  expect(() => begun[0]?.isComplete()).toThrow('pg_dump ended without saying that entry 1 is finished');
});

test('a table that is finished twice comes twice', async () => {
  const entries = new WrittenEntries(folder);
  await growTo(1, 20 * MIB);
  const lines = ['pg_dump: finished item 1 TABLE DATA one', 'pg_dump: finished item 1 TABLE DATA one'];
  const batches = await batchesOf(entries, () => {
    for (const line of lines.splice(0)) {
      entries.read(line);
    }
    entries.end();
  });
  expect(batches).toEqual([['1 TABLE DATA, growing'], ['1 TABLE DATA']]);
});

test.each<[string, readonly number[], number | undefined]>([
  ['one that is large', [16 * MIB], 0],
  ['the larger of two', [15 * MIB, 16 * MIB], 1],
  ['none that is small', [16 * MIB - 1], undefined],
  ['none of two equal ones', [20 * MIB, 20 * MIB], undefined],
  ['none that is smaller than the others together', [30 * MIB, 20 * MIB, 15 * MIB], undefined],
  ['none if there is none', [], undefined],
])('of tables that are being written, %s is read meanwhile', (_, sizes, expected) => {
  expect(mostOf(sizes.map((bytes, id) => ({ id, bytes })))).toBe(expected);
});
