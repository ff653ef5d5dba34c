import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Manifest } from '../../../docker/dump/manifest.ts';
import { RESTORABLE_CONTENTS } from '../support/census-contents.ts';
import { drillUnequal, variant } from '../support/drills.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...RESTORABLE_CONTENTS);
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

type Table = NonNullable<Manifest['tables']>[number];

function flipped(hash: string | null): string {
  return (BigInt(`0x${hash ?? ''}`) ^ 1n).toString(16).padStart(16, '0');
}

describe('a census that differs from the restored rows is reported for each table', () => {
  test.each<[string, (table: Table) => Partial<Table>]>([
    ['a row was changed', ({ contentHash }) => ({ contentHash: flipped(contentHash) })],
    ['a row was deleted', ({ provenRows }) => ({ provenRows: (provenRows ?? 0) + 1 })],
    ['a row was added', ({ provenRows }) => ({ provenRows: Math.abs((provenRows ?? 0) - 1) })],
    ['most of its rows were deleted', ({ provenRows }) => ({ provenRows: (provenRows ?? 0) + 1000 })],
  ])('as if %s', async (_, mutation) => {
    const named = new Set<string>();
    const key = await variant(stage, ({ tables }) => {
      for (const table of tables ?? []) {
        Object.assign(table, mutation(table));
        // Partitions by an enumeration are compared as one.
        named.add(table.name.replace(/^moods_\d$/, 'moods'));
      }
    });
    const { verdict, differences, tables } = await drillUnequal(stage, key);
    expect(verdict).toBe('different');
    expect(differences.map(({ table }) => table).sort()).toEqual([...named].sort());
    expect(tables).toEqual({ total: named.size, equal: 0 });
  });

  test('as if a single row of a single table was changed', async () => {
    const key = await variant(stage, ({ tables }) => {
      const table = tables?.find(({ name }) => name === 'plain');
      Object.assign(table ?? {}, { contentHash: flipped(table?.contentHash ?? null) });
    });
    const { differences, reason } = await drillUnequal(stage, key);
    expect(differences).toMatchObject([
      { schema: 'public', table: 'plain', expected: { count: 100 }, found: { count: 100 } },
    ]);
    expect(reason).toContain('12 of 13 tables are equal');
    expect(reason).toContain('these differ: public.plain: 100 rows in both, with other contents');
  });

  type Objects = NonNullable<Manifest['largeObjects']>;

  test.each<[string, (objects: Objects) => Partial<Objects>, string]>([
    ['changed', ({ contentHash }) => ({ contentHash: flipped(contentHash) }), '3 large objects in both, with other'],
    ['missing', () => ({ count: 4 }), '4 large objects in the dump, 3 in the database'],
    ['added', () => ({ count: 2 }), '2 large objects in the dump, 3 in the database'],
  ])('as if a large object was %s', async (_, mutation, text) => {
    const key = await variant(stage, ({ largeObjects }) => {
      Object.assign(largeObjects ?? {}, largeObjects && mutation(largeObjects));
    });
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'different',
      differences: [{ table: null, text: expect.stringContaining(text) }],
      tables: { total: 13, equal: 13 },
    });
  });
});
