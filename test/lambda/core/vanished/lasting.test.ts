import { expect, test } from '@jest/globals';
import type { Vanished } from '../../../../lambda/core/freshness/memory.ts';
import { type Census, censusIn } from '../../../../lambda/core/vanished/census.ts';
import { lasting, vanishedAsOf, vanishedOf } from '../../../../lambda/core/vanished/lasting.ts';
import { type Limits, limitsOf } from '../../../../lambda/core/vanished/limits.ts';
import type { VanishedRows } from '../../../../lambda/core/vanished/message.ts';

const dump = (day: string) => ({ bucket: 'dumps', key: `app/app-202611${day}T080000Z.dmp` });

const LIMITS = limitsOf([]);

function census(rows: Readonly<Record<string, number>>, leftOut: readonly string[] = [], objects = 0): Census {
  const tables = Object.entries(rows).map(([text, provenRows]) => {
    const [name, partitionOf = null] = text.split('@');
    return { schema: 'public', name, provenRows, partitionOf };
  });
  const manifest = { manifestVersion: 1, tables, largeObjects: { count: objects }, leftOut: { tables: leftOut } };
  const found = censusIn(JSON.stringify(manifest));
  if (found === undefined) {
    throw new Error('The manifest has no census.');
  }
  return found;
}

/** What the dump of a day lacks of that of the day before. */
function lost(day: number, ...tables: readonly (readonly [table: string, before: number, after: number | 'gone'])[]) {
  return {
    secret: 'app',
    dump: dump(String(day)),
    earlier: dump(String(day - 1)),
    tables: tables.map(([table, before, after]) => ({ table, before, after })),
  };
}

/** `public.t 100 0 since 2026-11-22, in 21` */
function inWords(vanished: Vanished | undefined): readonly string[] {
  return (vanished?.tables ?? []).map(
    ({ table, before, after, since, earlier: { key } }) =>
      `${table} ${before} ${after} since ${since.slice(0, 10)}, in ${key.slice(-16, -12)}`,
  );
}

/** What is known after the dump of the 24th. */
function asOf(before: Vanished | undefined, census: Census, found: VanishedRows | undefined, limits: Limits) {
  return vanishedAsOf(before, { dump: dump('24'), census }, found, limits);
}

const T = lost(22, ['public.t', 100, 0]);

const LOST = asOf(undefined, census({ t: 0 }), T, LIMITS);

test.each<[string, readonly string[], Vanished | undefined]>([
  ['is listed', ['public.t 100 0 since 2026-11-22, in 1121'], LOST],
  [
    'and still lacks them a day later',
    ['public.t 100 3 since 2026-11-22, in 1121'],
    asOf(LOST, census({ t: 3 }), undefined, LIMITS),
  ],
  ['and is then gone', ['public.t 100 gone since 2026-11-22, in 1121'], asOf(LOST, census({}), undefined, LIMITS)],
  ['and has them again', [], asOf(LOST, census({ t: 100 }), undefined, LIMITS)],
  ['and has as many again as it must', [], asOf(LOST, census({ t: 70 }), undefined, LIMITS)],
  ['and is then left out', [], asOf(LOST, census({}, ['public.t']), undefined, LIMITS)],
  [
    'and loses more, with another one',
    ['public.u 5000 1 since 2026-11-23, in 1122', 'public.t 100 gone since 2026-11-22, in 1121'],
    asOf(LOST, census({ u: 1 }), lost(23, ['public.t', 50, 'gone'], ['public.u', 5000, 1]), LIMITS),
  ],
  [
    'in its partitions',
    ['public.t 100 20 since 2026-11-22, in 1121'],
    asOf(LOST, census({ 't_1@public.t': 12, 't_2@public.t': 8 }), undefined, LIMITS),
  ],
  [
    'in large objects',
    ['large objects 100 7 since 2026-11-22, in 1121'],
    asOf(undefined, census({ t: 1 }, [], 7), lost(22, ['large objects', 100, 7]), LIMITS),
  ],
])('what lost its rows %s', (_, words, vanished) => {
  expect(inWords(vanished)).toEqual(words);
});

test('the largest losses are remembered, and how many more there were until all of these are back', () => {
  const names = Array.from({ length: 25 }, (_, i) => `public.t${i}`);
  const many = asOf(
    undefined,
    census({ x: 1 }),
    lost(22, ...names.map((name, i) => [name, 100 + i, 'gone'] as const)),
    LIMITS,
  );
  expect(many?.tables.map(({ before }) => before)).toEqual(Array.from({ length: 20 }, (_, i) => 124 - i));
  expect(many?.more).toBe(5);
  const oneBack = asOf(many, census({ t24: 124 }), undefined, LIMITS);
  expect([oneBack?.tables.length, oneBack?.more]).toEqual([19, 5]);
  const back = census(Object.fromEntries(names.map((name) => [name.slice('public.'.length), 200])));
  expect(asOf(many, back, undefined, LIMITS)).toBeUndefined();
});

const limits = (Value: string) => limitsOf([{ Key: 'autodump:vanished', Value }]);

test.each([
  ['the tag allows no more', LIMITS, '2026-11-23T09:00:00Z', true],
  ['the tag allows it', limits('public.t=off'), '2026-11-23T09:00:00Z', false],
  ['the tag allows it for another table', limits('public.u=off'), '2026-11-23T09:00:00Z', true],
  ['the dump with the rows is sure to be kept', LIMITS, '2027-02-20T07:59:00Z', true],
  ['the dump with the rows may have expired', LIMITS, '2027-02-20T08:00:00Z', false],
])('if %s, a loss is shown or not', (_, held, now, isShown) => {
  expect(lasting(LOST, held, new Date(now)) !== undefined).toBe(isShown);
});

test('the tables of other databases stay, unless these are not dumped any more', () => {
  const other = { bucket: 'dumps', key: 'app/crm-20261124T080000Z.dmp' };
  const found = { ...lost(22, ['public.t', 500, 0]), dump: other, earlier: other };
  const both = vanishedAsOf(LOST, { dump: other, census: census({ t: 0 }) }, found, LIMITS);
  expect(both?.tables.map(({ before }) => before)).toEqual([500, 100]);
  expect(asOf(both, census({ t: 100 }), undefined, LIMITS)?.tables.map(({ before }) => before)).toEqual([500]);
  expect(vanishedOf(both, [dump('24')])?.tables.map(({ before }) => before)).toEqual([100]);
  expect(vanishedOf(both, [])).toBeUndefined();
});
