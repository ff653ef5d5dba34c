import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DumpFolder, WrittenEntry } from '../../../../docker/engine/parallel/data-block.ts';
import { problemIn, WrittenEntries } from '../../../../docker/engine/parallel/written-entries.ts';

let folder: DumpFolder;

beforeEach(async () => {
  const path = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  folder = { path, compression: 'zstd:1', clientMajor: 18 };
});

afterEach(async () => {
  await rm(folder.path, { recursive: true });
});

/** @param afterEvery called when a batch has come */
async function batchesOf(entries: WrittenEntries, afterEvery: () => void = () => undefined) {
  const batches: (readonly string[])[] = [];
  for await (const batch of entries.batches()) {
    expect(batch.map(({ isComplete }) => isComplete())).not.toContain(false);
    batches.push(batch.map(({ id, kind }) => `${id} ${kind}`));
    afterEvery();
  }
  return batches;
}

/** The first table that is found growing. */
async function firstGrowing(entries: WrittenEntries): Promise<WrittenEntry> {
  for await (const entry of entries.growing(() => true)) {
    return entry;
  }
  throw new Error('No table was found growing.');
}

/** @param count of tables after which pg_dump ends */
async function growingIn(entries: WrittenEntries, count: number) {
  const growing: WrittenEntry[] = [];
  for await (const entry of entries.growing(() => true)) {
    growing.push(entry);
    if (growing.length === count) {
      entries.end();
    }
  }
  return growing;
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
  expect(batches).toEqual([['1 TABLE DATA', '3 TABLE DATA'], ['4 TABLE DATA']]);
  expect(entries.largeObjects.map(({ id, kind }) => [id, kind])).toEqual([[2, 'BLOBS']]);
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

async function growTo(id: number, bytes: number, name = `${id}.dat.zst`): Promise<void> {
  const file = join(folder.path, name);
  await writeFile(file, '', { flag: 'a' });
  await truncate(file, bytes);
}

test('tables that become large come once, before they are complete', async () => {
  const entries = new WrittenEntries(folder);
  await Promise.all([growTo(1, 16 * MIB), growTo(2, 16 * MIB - 1), growTo(3, 40 * MIB), growTo(4, 40 * MIB)]);
  // It is the file of no table.
  await growTo(5, 40 * MIB, 'blob_5.dat.zst');
  entries.read('pg_dump: finished item 4 TABLE DATA four');
  const [batches, growing] = await Promise.all([batchesOf(entries), growingIn(entries, 2)]);
  expect(batches).toEqual([['4 TABLE DATA']]);
  expect(growing.map(({ id }) => id).toSorted()).toEqual([1, 3]);
});

test('a table that was growing is in no batch when it is finished', async () => {
  const entries = new WrittenEntries(folder);
  await growTo(1, 20 * MIB);
  const growing = await firstGrowing(entries);
  expect(growing.isComplete()).toBe(false);
  entries.read('pg_dump: finished item 1 TABLE DATA one');
  entries.end();
  expect(growing.isComplete()).toBe(true);
  expect(await batchesOf(entries)).toEqual([]);
});

test('what was being written when pg_dump ended will never be complete', async () => {
  const entries = new WrittenEntries(folder);
  await growTo(1, 20 * MIB);
  const [growing] = await growingIn(entries, 1);
  expect(() => growing?.isComplete()).toThrow('pg_dump ended without saying that entry 1 is finished');
});

test('a table that is finished twice comes twice', async () => {
  const entries = new WrittenEntries(folder);
  await growTo(1, 20 * MIB);
  const growing = await firstGrowing(entries);
  for (const line of ['pg_dump: finished item 1 TABLE DATA one', 'pg_dump: finished item 1 TABLE DATA one']) {
    entries.read(line);
  }
  entries.end();
  expect(growing.id).toBe(1);
  expect(await batchesOf(entries)).toEqual([['1 TABLE DATA']]);
});
