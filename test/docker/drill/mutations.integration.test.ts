import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { judge, type Judgement } from '../../../docker/drill/verdict.ts';
import type { ExpectedCensus } from '../../../docker/restore/census/expected-census.ts';
import { compare } from '../../../docker/restore/comparison.ts';
import type { ArchiveObject } from '../../../docker/restore/stored-dump/table-of-contents.ts';
import { furtherContents } from '../../image/contents.ts';
import { comparedAfter } from '../support/after-changes.ts';
import { RESTORABLE_CONTENTS } from '../support/census-contents.ts';
import { drill, evidenceIn } from '../support/drills.ts';
import { expectedOf } from '../support/expected-of.ts';
import { keyOf, Stage } from '../support/stage.ts';

let stage: Stage;
/** To the restored copy. */
let client: pg.Client;
let objects: readonly ArchiveObject[];
let census: ExpectedCensus;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    ...RESTORABLE_CONTENTS,
    ...furtherContents(20),
    `CREATE TABLE kinds (id int, s text, s2 text, n numeric, f float8, r float4, t timestamptz, ts timestamp, d date,
       i interval, b bytea, j json, jb jsonb, a int[], texts text[], m mood, bits bit(4), ip inet, u uuid, z time)`,
    `INSERT INTO kinds SELECT i, 'é ' || i, 'other ' || i, 1.50 * i, 0, 0.1, '2026-01-01 00:00:00Z', '2026-01-01', '2026-01-01',
       '1 day', '\\x00ff', '{"a": 1}', '{"a": 1}', '{1,2}', '{NULL,a}', 'sad', '0101', '10.0.0.1', md5(i::text)::uuid, '00:00'
     FROM generate_series(1, 10) i`,
    `INSERT INTO kinds (id, s, b) VALUES (11, NULL, NULL), (12, '', '')`,
  );
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
  await stage.restore(keyOf('app'), 'restored');
  client = await stage.connect('restored');
  ({ objects, census } = await expectedOf(stage, 'app'));
});

afterAll(async () => {
  await client.end();
  await stage.tearDown();
});

/** Changes the restored copy, has it compared and judged as a drill does, and undoes the changes. */
async function judged(...statements: readonly string[]): Promise<Judgement> {
  const { relations, compared } = await comparedAfter(client, census, 'content', statements);
  const { missing, unpopulated } = compare(objects, relations);
  return judge({
    compared: { missing, unpopulated, census: compared },
    ...{ lacking: { what: [], dependents: [] }, refused: [], refusedCount: 0, assertions: [] },
  });
}

test('without any change, the copy is equal, and a drill says the same', async () => {
  expect(await judged()).toMatchObject({ verdict: 'equal', differences: [], notRestored: [], notCompared: [] });
  const outcome = await drill(stage);
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(await evidenceIn(stage, outcome)).toMatchObject({ verdict: 'equal', largeObjects: 3 });
});

const LARGE_OBJECTS = null;

const KINDS = (set: string, id = 1) => `UPDATE public.kinds SET ${set} WHERE id = ${id}`;
const VALUED = (set: string) => `UPDATE public.valued SET ${set} WHERE t = '2026-01-02 00:00Z'`;

/** What, the tables that then differ, and the statements. */
const MUTATIONS: readonly (readonly [string, readonly (string | null)[], ...string[]])[] = [
  ['a row changed', ['plain'], `UPDATE ONLY public.plain SET b = 'changed' WHERE a = 1`],
  ['a row deleted', ['plain'], 'DELETE FROM ONLY public.plain WHERE a = 1'],
  ['a row added', ['plain'], `INSERT INTO public.plain VALUES (101, 'row 101')`],
  ['a table emptied', ['plain'], 'DELETE FROM ONLY public.plain'],
  ['a table with other rows, as many', ['plain'], `UPDATE ONLY public.plain SET b = 'all the same'`],
  [
    'a row in place of another',
    ['plain'],
    'DELETE FROM ONLY public.plain WHERE a = 1',
    'INSERT INTO public.plain SELECT * FROM ONLY public.plain WHERE a = 2',
  ],
  [
    'two rows with the values of a column exchanged',
    ['plain'],
    `UPDATE ONLY public.plain SET b = 'row ' || 3 - a WHERE a IN (1, 2)`,
  ],
  ['two columns of a row exchanged', ['kinds'], KINDS('s = s2, s2 = s')],
  ['NULL in place of the empty string', ['kinds'], KINDS('s = NULL', 12)],
  ['the empty string in place of NULL', ['kinds'], KINDS(`s = ''`, 11)],
  ['the text of NULL in place of it', ['kinds'], KINDS(`s = '\\N'`, 11)],
  ['a blank at the end', ['kinds'], KINDS(`s = s || ' '`)],
  ['another case', ['kinds'], KINDS('s2 = upper(s2)')],
  ['another normal form of a letter', ['kinds'], KINDS('s = normalize(s, NFD)')],
  ['a line feed', ['kinds'], KINDS(`s = s || E'\n'`)],
  ['an integer', ['kinds'], KINDS('id = 0')],
  ['the last digit of a number', ['kinds'], KINDS('n = n + 0.01')],
  ['a number with fewer digits', ['kinds'], KINDS('n = 1.5')],
  ['the next float8', ['kinds'], KINDS(`f = '5e-324'`)],
  ['a negative zero', ['kinds'], KINDS(`f = '-0'`)],
  ['the next float4', ['kinds'], KINDS('r = 0.10000001')],
  ['NaN', ['kinds'], KINDS(`f = 'NaN'`)],
  ['a microsecond', ['kinds'], KINDS(`t = t + interval '1 microsecond'`)],
  ['an hour without time zone', ['kinds'], KINDS(`ts = ts + interval '1 hour'`)],
  ['a date', ['kinds'], KINDS('d = d + 1')],
  ['24 hours in place of a day', ['kinds'], KINDS(`i = '24 hours'`)],
  ['midnight at the end of a day', ['kinds'], KINDS(`z = '24:00'`)],
  ['a bit of a bytea', ['kinds'], KINDS(`b = '\\x01ff'`)],
  ['an empty bytea in place of NULL', ['kinds'], KINDS(`b = ''`, 11)],
  ['a blank in JSON', ['kinds'], KINDS(`j = '{"a":1}'`)],
  ['a value in JSONB', ['kinds'], KINDS(`jb = '{"a": 2}'`)],
  ['an element of an array', ['kinds'], KINDS('a[2] = 3')],
  ['another first index of an array', ['kinds'], KINDS(`a = '[0:1]={1,2}'`)],
  ['the text NULL in an array', ['kinds'], KINDS(`texts = '{"NULL",a}'`)],
  ['a value of an enumeration', ['kinds'], KINDS(`m = 'ok'`)],
  ['a bit', ['kinds'], KINDS(`bits = '0100'`)],
  ['an address with another netmask', ['kinds'], KINDS(`ip = '10.0.0.1/24'`)],
  ['a UUID', ['kinds'], KINDS('u = md5(u::text)::uuid')],
  ['an amount of money', ['valued'], VALUED(`m = m + 0.01::money`)],
  ['a reference to another table', ['valued'], VALUED(`c = 'public.kinds'`)],
  [
    'a value of hstore',
    ['extended'],
    `UPDATE public.extended SET more = more OPERATOR(public.||) 'key=>0' WHERE room = 1`,
  ],
  ['a value of ltree', ['extended'], `UPDATE public.extended SET path = 'a.c' WHERE room = 1`],
  [
    'another case of what is equal without',
    ['extended'],
    `UPDATE public.extended SET name = upper(name::text) WHERE room = 1`,
  ],
  ['what a generated column is made of', ['generated'], 'UPDATE public.generated SET net = -net WHERE net = 1'],
  [
    'a value of an identity column',
    ['ids'],
    'ALTER TABLE public.ids ALTER id DROP IDENTITY',
    'UPDATE public.ids SET id = 0 WHERE id = 7',
  ],
  ['a row of a partition', ['measured_2025'], `UPDATE public.measured SET value = 0 WHERE day = '2025-06-02'`],
  ['an empty partition', ['measured_rest'], 'DELETE FROM public.measured_rest'],
  [
    'a row in another partition',
    ['measured_2025', 'measured_rest'],
    `UPDATE public.measured SET day = '2027-01-01' WHERE day = '2025-06-02'`,
  ],
  ['a row of partitions that are filled together', ['moods'], `UPDATE public.moods SET note = 'c' WHERE note = 'a'`],
  ['a row under row-level security', ['tenants'], `UPDATE public.tenants SET secret = '' WHERE tenant = 'a'`],
  ['a row of an heir', ['heir'], 'UPDATE public.heir SET c = 3'],
  ['a row of one of many tables', ['many_17'], 'UPDATE public.many_17 SET i = 18'],
  ['a row in an empty table', ['empty'], 'INSERT INTO public.empty VALUES (1)'],
  ['a row without columns', ['no_columns'], 'INSERT INTO public.no_columns DEFAULT VALUES'],
  ['a row of an unlogged table', ['unlogged'], 'DELETE FROM public.unlogged'],
  [
    'a row of a table with a difficult name',
    ['Table "x" = $1; --'],
    `DELETE FROM "Schéma mit 'Leerzeichen'"."Table ""x"" = $1; --" WHERE "日本" = ''`,
  ],
  ['a missing table', ['many_17'], 'ALTER TABLE public.many_17 RENAME TO other'],
  ['a missing column', ['plain', 'heir'], 'ALTER TABLE public.plain DROP COLUMN b'],
  ['a byte of a large object', [LARGE_OBJECTS], `SELECT lo_put(4712, 300000, '\\x00')`],
  ['a large object without its end', [LARGE_OBJECTS], 'SELECT lo_truncate64(lo_open(4712, 131072), 3000000)'],
  ['a byte at the end of an empty one', [LARGE_OBJECTS], `SELECT lo_put(4713, 0, '\\x00')`],
  ['a missing large object', [LARGE_OBJECTS], 'SELECT lo_unlink(4713)'],
  ['another large object', [LARGE_OBJECTS], 'SELECT lo_create(4714)'],
  ['a large object with another number', [LARGE_OBJECTS], 'SELECT lo_unlink(4713), lo_create(4714)'],
];

describe('a copy is different that has', () => {
  test.each(MUTATIONS)('%s', async (_, tables, ...statements) => {
    const { verdict, differences, reason } = await judged(...statements);
    expect(verdict).toBe('different');
    expect(differences.map(({ table }) => table).sort()).toEqual([...tables].sort());
    expect(reason).toContain('these differ: ');
  });

  test('one of more than fifty changes', () => {
    expect(new Set(MUTATIONS.map(([what]) => what)).size).toBeGreaterThan(50);
  });
});

/** None of these is in the rows of a dump. */
test.each([
  ['the value of a sequence', `SELECT setval('public.ids_id_seq', 1)`],
  [
    'generated values',
    'ALTER TABLE public.generated ALTER gross DROP EXPRESSION',
    'UPDATE public.generated SET gross = 0',
  ],
  ['the order of rows', 'CREATE INDEX ON public.plain (b)', 'UPDATE ONLY public.plain SET b = b WHERE a < 50'],
  ['whether policies apply', 'ALTER TABLE public.tenants DISABLE ROW LEVEL SECURITY'],
])('not compared: %s', async (_, ...statements) => {
  expect(await judged(...statements)).toMatchObject({ verdict: 'equal', differences: [] });
});
