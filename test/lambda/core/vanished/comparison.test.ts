import { expect, test } from '@jest/globals';
import type { Manifest } from '../../../../docker/dump/manifest.ts';
import { nameOf } from '../../../../docker/postgres/names/quoting.ts';
import { censusIn } from '../../../../lambda/core/vanished/census.ts';
import { vanishedBetween, type VanishedTable } from '../../../../lambda/core/vanished/comparison.ts';
import { limitsOf } from '../../../../lambda/core/vanished/limits.ts';

type Table = Pick<NonNullable<Manifest['tables']>[number], 'schema' | 'name' | 'provenRows'> & {
  readonly partitionOf?: string | null;
};

/** As a manifest has them: `name` or `schema.name`, with rows, and the partitioned table after an `@`. */
function tablesOf(rows: Readonly<Record<string, number | null>>): readonly Table[] {
  return Object.entries(rows).map(([text, provenRows]) => {
    const [qualified = '', partitionOf] = text.split('@');
    const [name = '', schema = 'public'] = qualified.split('.').reverse();
    return { schema, name, provenRows, ...(partitionOf === undefined ? {} : { partitionOf }) };
  });
}

interface Dump {
  readonly leftOut?: Partial<NonNullable<Manifest['leftOut']>>;
  readonly objects?: number;
}

function census(rows: Readonly<Record<string, number | null>>, { leftOut, objects = 0 }: Dump = {}) {
  const nothing = { schemas: [], tables: [], rows: [], objectsWithoutSchema: false };
  const largeObjects = { count: objects, bytes: 0, contentHash: '0'.repeat(16) };
  const found = censusIn(
    JSON.stringify({ manifestVersion: 1, tables: tablesOf(rows), largeObjects, leftOut: { ...nothing, ...leftOut } }),
  );
  if (found === undefined) {
    throw new Error('The manifest has no census.');
  }
  return found;
}

function inWords({ table, before, after }: VanishedTable): string {
  return `${table} ${before} ${after}`;
}

type Rows = Readonly<Record<string, number | null>>;

type Case = readonly [what: string, before: Rows, after: Rows, vanished: readonly string[], tag?: string, dump?: Dump];

const CASES: readonly Case[] = [
  ['nothing changed', { t: 100 }, { t: 100 }, []],
  ['rows were added', { t: 100 }, { t: 1000 }, []],
  ['a table is new', { t: 100 }, { t: 100, u: 5 }, []],
  ['the share is lost, and no more', { t: 100 }, { t: 70 }, []],
  ['more than the share is lost', { t: 100 }, { t: 69 }, ['public.t 100 69']],
  ['a table is emptied', { t: 100 }, { t: 0 }, ['public.t 100 0']],
  ['a table is gone', { t: 100, u: 1 }, { u: 1 }, ['public.t 100 gone']],
  ['a small table is gone', { t: 3, u: 1 }, { u: 1 }, ['public.t 3 gone']],
  ['an empty table is gone', { t: 0, u: 1 }, { u: 1 }, []],
  ['all tables are gone', { t: 100 }, {}, ['public.t 100 gone']],
  ['a table is still there, but the dump has none of it', { t: 100 }, { t: null }, ['public.t 100 0']],
  ['a dump had none of a table before', { t: null }, { t: null }, []],
  ['a few rows of a small table are lost', { t: 3 }, { t: 2 }, []],
  ['nine rows are lost', { t: 9 }, { t: 0 }, []],
  ['ten rows are lost', { t: 10 }, { t: 0 }, ['public.t 10 0']],
  [
    'several tables lost rows: the largest loss first',
    { t: 100, u: 5000 },
    { t: 0, u: 1000 },
    ['public.u 5000 1000', 'public.t 100 0'],
  ],
  ['a table was renamed', { t: 100 }, { t_old: 100 }, ['public.t 100 gone']],
  ['a name has to be quoted', { 'S.My Table': 100 }, { u: 1 }, ['"S"."My Table" 100 gone']],

  ['another share holds', { t: 100 }, { t: 49 }, ['public.t 100 49'], '50'],
  ['another share is not exceeded', { t: 100 }, { t: 50 }, [], '50'],
  ['nothing is to be reported', { t: 100 }, {}, [], 'off'],
  [
    'one table is left out by the tag',
    { t: 100, 'S.Up': 100, u: 100 },
    {},
    ['public.u 100 gone'],
    'public.t=off S.Up=off',
  ],
  ['one table has a share of its own', { t: 100, u: 100 }, { t: 15, u: 15 }, ['public.u 100 15'], 'public.t=90 30'],
  ['only one table is watched', { t: 100, u: 100 }, { t: 0, u: 0 }, ['public.t 100 0'], 'off public.t=30'],
  ['a tag that is not followed changes nothing', { t: 100 }, {}, ['public.t 100 gone'], 'off public.t=none'],

  ['a partition was dropped', { 'p1@public.p': 100, 'p2@public.p': 900 }, { 'p2@public.p': 900 }, []],
  [
    'a partition was dropped and another one added',
    { 'p1@public.p': 100, 'p2@public.p': 100 },
    { 'p2@public.p': 100, 'p3@public.p': 90 },
    [],
  ],
  [
    'most partitions were dropped',
    { 'p1@public.p': 100, 'p2@public.p': 100, 'p3@public.p': 100 },
    { 'p3@public.p': 100 },
    ['public.p 300 100'],
  ],
  ['all partitions were dropped', { 'p1@public.p': 100, t: 1 }, { t: 1 }, ['public.p 100 gone']],
  ['a partition was emptied', { 'p1@public.p': 100, 'p2@public.p': 900 }, { 'p1@public.p': 0, 'p2@public.p': 900 }, []],
  ['a partition was detached', { 'p1@public.p': 100, 'p2@public.p': 10 }, { p1: 100, 'p2@public.p': 10 }, []],
  ['a table was attached', { p1: 100, 'p2@public.p': 10 }, { 'p1@public.p': 100, 'p2@public.p': 10 }, []],
  ['a partitioned table is left out by the tag', { 'p1@public.p': 100, t: 1 }, { t: 1 }, [], 'public.p=off'],
  [
    'a numbered table is gone, and the manifest has no partitions',
    { e_2024_01: 100, e_2024_02: 9 },
    { e_2024_02: 9 },
    [],
  ],
  ['a numbered table lost rows', { e_1: 100, e_2: 9 }, { e_1: 0, e_2: 9 }, ['public.e_1 100 0']],
  ['the only numbered table is gone', { e_1: 100, t: 1 }, { t: 1 }, ['public.e_1 100 gone']],
  [
    'a numbered table is gone, and is no partition',
    { e_1: 100, e_2: 9, 'p1@public.p': 1 },
    { e_2: 9, 'p1@public.p': 1 },
    ['public.e_1 100 gone'],
  ],

  ['filters now leave out the table', { t: 100 }, {}, [], undefined, { leftOut: { tables: ['public.t'] } }],
  ['filters now leave out its rows', { t: 100 }, { t: null }, [], undefined, { leftOut: { rows: ['public.t'] } }],
  ['filters now leave out its schema', { 's.t': 100 }, {}, [], undefined, { leftOut: { schemas: ['s'] } }],
  [
    'filters now leave out another table',
    { t: 100, u: 1 },
    {},
    ['public.t 100 gone'],
    undefined,
    { leftOut: { tables: ['public.u'] } },
  ],
  [
    'filters now leave out a table, and rows and a schema, whose names are invisible',
    { 'S.a\tb': 100, 'public.\u202e': 100, '\u200b.t': 100 },
    { 'public.\u202e': null },
    [],
    undefined,
    {
      leftOut: {
        tables: [nameOf({ schema: 'S', name: 'a\tb' })],
        rows: [nameOf({ schema: 'public', name: '\u202e' })],
        schemas: [nameOf({ schema: '', name: '\u200b' })],
      },
    },
  ],
  [
    'filters now leave out a partition',
    { 'p1@public.p': 100, 'p2@public.p': 10 },
    { 'p2@public.p': 10 },
    [],
    undefined,
    { leftOut: { tables: ['public.p1'] } },
  ],
];

test.each(CASES.map((row) => [row[0], row] as const))('%s', (_, [, before, after, vanished, tag, dump]) => {
  const limits = limitsOf(tag === undefined ? [] : [{ Key: 'autodump:vanished', Value: tag }]);
  expect(vanishedBetween(census(before), census(after, dump), limits).map(inWords)).toEqual(vanished);
});

test.each<[what: string, before: number, after: Dump, vanished: readonly string[], tag: string]>([
  ['a few', 20, { objects: 11 }, [], '30'],
  ['all', 20, { objects: 0 }, ['large objects 20 0'], '30'],
  ['all, which is not to be reported', 20, { objects: 0 }, [], 'largeobjects=off'],
  ['all, by filters', 20, { objects: 0, leftOut: { objectsWithoutSchema: true } }, [], '30'],
])('large objects vanished: %s', (_, objects, after, vanished, tag) => {
  const limits = limitsOf([{ Key: 'autodump:vanished', Value: tag }]);
  expect(vanishedBetween(census({}, { objects }), census({}, after), limits).map(inWords)).toEqual(vanished);
});

test.each([
  ['not JSON', ''],
  ['a recovered one', JSON.stringify({ manifestVersion: 1, tables: null })],
  ['one of before the census', JSON.stringify({ manifestVersion: 1, tables: [{ schema: 's', name: 't', rows: 1 }] })],
  ['one of another version', JSON.stringify({ manifestVersion: 2, tables: [] })],
])('a manifest that does not count the rows has no census: %s', (_, text) => {
  expect(censusIn(text)).toBeUndefined();
});

test.each(['', '0', '100', '30%', 'public.t', 'public.t=', 'public.t=101', 'Off', '30, 40'])(
  'a tag that cannot be followed is noted: %j',
  (Value) => {
    const { problem, ...limits } = limitsOf([{ Key: 'autodump:vanished', Value }]);
    expect(problem).toMatch(/^The tag autodump:vanished is not followed, because of ".*": 30 percent hold\.$/);
    expect(limits).toEqual(limitsOf([]));
  },
);
