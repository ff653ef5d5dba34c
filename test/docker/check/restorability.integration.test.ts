import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rowsOf } from '../support/findings-table.ts';
import { Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
});

afterAll(async () => {
  await stage.tearDown();
});

const RATES = ['CREATE TABLE rates (r int)', 'INSERT INTO rates VALUES (2)'];

const PLAIN = `CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * r FROM rates'`;

test.each([
  ['a generated column', [PLAIN, 'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (f(a)) STORED)']],
  ['a CHECK constraint', [PLAIN, 'CREATE TABLE t (a int CHECK (f(a) > 0))']],
  ['an index', [PLAIN, 'CREATE TABLE t (a int)', 'CREATE INDEX ON t (f(a))']],
  [
    'a materialized view, by way of PL/pgSQL and another function',
    [
      `CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1 * G(); END'`,
      'CREATE TABLE t (a int)',
      'CREATE MATERIALIZED VIEW m AS SELECT f(a) FROM t',
    ],
  ],
])('the check warns of a function called by %s that a restore will fail for', async (kind, statements) => {
  await stage.createDatabase(kind, ...RATES, ...statements, 'INSERT INTO t (a) VALUES (1)');
  const outcome = await stage.check(kind);
  expect(rowsOf(outcome).Restorability).toEqual([
    'warning',
    expect.stringMatching(/public\.f\(integer\) names (?:rates|g)\. Write the schema/),
  ]);
  expect(await stage.dump(kind)).toMatchObject({ status: 0 });
  await stage.createDatabase(`${kind}, restored`);
  expect(await restore(stage, kind, `${kind}, restored`)).toMatchObject({ status: 77 });
});

/** A function of the same name that names something. */
function naming(name: string, expression: string): string {
  return `CREATE FUNCTION ${name} RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT ${expression} $$`;
}

test.each([
  [
    'names of every kind',
    [
      'CREATE TABLE "My Rates" AS SELECT 2 AS r',
      'CREATE TABLE größen AS SELECT 2 AS r',
      "CREATE TYPE mood AS ENUM ('1')",
      'CREATE SEQUENCE counter',
      naming('quoted(int)', '$1 * r FROM "My Rates"'),
      naming('beyond_ascii(int)', '$1 * r FROM GRößen'),
      'CREATE DOMAIN list AS int[]',
      naming('enum(int)', '$1::text::mood::text::int'),
      naming('domain(int)', '(ARRAY[$1]::list)[1]'),
      naming('sequence(int)', "$1 + nextval('counter')"),
      'CREATE TABLE t (a int CHECK (quoted(a) > 0), CHECK (beyond_ascii(a) > 0), CHECK (enum(a) > 0), CHECK (domain(a) > 0), CHECK (sequence(a) > 0))',
    ],
    [
      'quoted(integer) names "My Rates"',
      'beyond_ascii(integer) names "größen"',
      'enum(integer) names mood',
      'domain(integer) names list',
      'names counter',
    ],
  ],
  [
    'functions by way of others',
    [
      ...['viewed(int)', 'operated(int, int)', 'aggregated(int, int)'].map((name) => naming(name, '$1 * r FROM rates')),
      'CREATE OPERATOR ## (LEFTARG = int, RIGHTARG = int, FUNCTION = operated)',
      'CREATE AGGREGATE total(int) (SFUNC = aggregated, STYPE = int, INITCOND = 1)',
      'CREATE TABLE t (a int CHECK (a ## a > 0))',
      'CREATE VIEW inner_view AS SELECT viewed(a) AS a FROM t',
      'CREATE VIEW outer_view AS SELECT a FROM inner_view',
      'CREATE MATERIALIZED VIEW m AS SELECT total(a) FROM outer_view',
    ],
    ['viewed(integer) names rates', 'operated(integer,integer) names rates', 'aggregated(integer,integer) names rates'],
  ],
  [
    'bodies that bodies call, and further kinds',
    [
      naming('inner_one(int)', '$1 * r FROM rates'),
      naming('outer_one(int)', 'public.INNER_one($1)'),
      'CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple)',
      naming('searched(int)', "$1 + length(to_tsvector('plain', 'a'))"),
      'CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple)',
      naming('lexed(int)', "$1 + length(ts_lexize('words', 'a')::text)"),
      'CREATE COLLATION bytes FROM "C"',
      naming('sorted(int)', `('b' > 'a' COLLATE bytes)::int`),
      'CREATE TABLE t (a int CHECK (outer_one(a) > 0), CHECK (searched(a) > 0), CHECK (lexed(a) > 0), CHECK (sorted(a) > 0))',
    ],
    [
      'inner_one(integer) names rates',
      'searched(integer) names plain',
      'lexed(integer) names words',
      'sorted(integer) names bytes',
    ],
  ],
  [
    'queries in literals of views',
    [
      `CREATE TABLE docs AS SELECT to_tsvector('simple', 'it''s') AS words`,
      `CREATE VIEW seen AS SELECT word FROM ts_stat('SELECT words FROM docs WHERE ''a'' > ''''')`,
      'CREATE MATERIALIZED VIEW m AS SELECT word FROM seen',
      `CREATE MATERIALIZED VIEW "Of Rates" AS SELECT query_to_xml('SELECT r FROM Rates', true, true, '')::text`,
      'CREATE TABLE t (a int)',
    ],
    ['public.seen names docs', 'public."Of Rates" names rates'],
  ],
])('the check finds %s', async (kind, statements, found) => {
  await stage.createDatabase(kind, ...RATES, ...statements, 'INSERT INTO t VALUES (1)');
  const [state, detail] = rowsOf(await stage.check(kind)).Restorability ?? [];
  expect(state).toBe('warning');
  for (const each of found) {
    expect(detail).toContain(each);
  }
  expect(await stage.dump(kind)).toMatchObject({ status: 0 });
  await stage.createDatabase(`${kind}, restored`);
  // Messages of several workers mix.
  const { status, stdout, stderr } = await restore(stage, kind, `${kind}, restored`, ['--jobs', '1']);
  expect({ status, found: stdout + stderr }).toEqual({ status: 77, found: expect.stringContaining('does not exist') });
});

test.each([
  ['schema', PLAIN.replace('rates', 'public.rates')],
  ['search path', `${PLAIN} SET search_path TO public`],
  ['body parsed already', PLAIN.replace(`AS 'SELECT $1 * r FROM rates'`, 'BEGIN ATOMIC SELECT $1 * r FROM rates; END')],
  [
    'body setting a search path',
    `CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
     'BEGIN PERFORM set_config(''search_path'', ''public'', true); RETURN (SELECT $1 * r FROM rates); END'`,
  ],
  [
    'call of one that has a search path',
    `CREATE FUNCTION g() RETURNS int LANGUAGE sql SET search_path TO public AS 'SELECT r FROM rates';
     ${PLAIN.replace('r FROM rates', 'public.g()')}`,
  ],
  ['name only in a string', PLAIN.replace('r FROM rates', `length(''the rates_of'')`)],
])('the check does not warn of a function with its %s, which a restore does not fail for', async (kind, statement) => {
  await stage.createDatabase(
    kind,
    ...RATES,
    statement,
    'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (f(a)) STORED)',
    'INSERT INTO t VALUES (1)',
  );
  expect(rowsOf(await stage.check(kind)).Restorability?.[0]).toBe('ok');
  expect(await stage.dump(kind)).toMatchObject({ status: 0 });
  await stage.createDatabase(`${kind}, restored`);
  expect(await restore(stage, kind, `${kind}, restored`)).toMatchObject({ status: 0 });
});

test('a server that does not answer the question gets a warning and is dumped', async () => {
  await stage.query('postgres', `CREATE ROLE dumper LOGIN PASSWORD 'x'`);
  await stage.createDatabase('silent', 'REVOKE EXECUTE ON FUNCTION regexp_matches(text, text, text) FROM PUBLIC');
  const secret = { username: 'dumper', password: 'x' };
  const outcome = await stage.check('silent', { secret });
  expect(rowsOf(outcome).Restorability).toEqual([
    'warning',
    'not checked, which does not keep a dump from being made: functions that a restore calls: permission denied for ' +
      'function regexp_matches',
  ]);
  expect(outcome.status).toBe(0);
  expect(await stage.dump('silent', { secret })).toMatchObject({ status: 0 });
});
