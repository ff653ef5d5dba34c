import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { byHand, drill, drillUnequal, evidenceIn, variant } from '../support/drills.ts';
import { rowsOf } from '../support/findings-table.ts';
import { keyOf, Stage } from '../support/stage.ts';

let stage: Stage;

const HOLDS = 'SELECT count(*) > 1 FROM public.orders';
const SEES_ALL = `WITH own AS (SELECT * FROM public.tenants) SELECT count(*) = 2 FROM own -- as policies would not allow`;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE orders AS SELECT i, i * 2.5 AS total FROM generate_series(1, 10) i',
    `CREATE TABLE tenants AS SELECT unnest(ARRAY['a', 'b']) AS tenant`,
    'ALTER TABLE tenants ENABLE ROW LEVEL SECURITY',
    `CREATE FUNCTION planted() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'executed'; END $$`,
    `CREATE FUNCTION deleted() RETURNS boolean LANGUAGE sql AS $$ DELETE FROM public.orders RETURNING true $$`,
  );
  const secret = { drillassert: [`${HOLDS};`, SEES_ALL] };
  expect(await stage.dump('app', { secret })).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

test('assertions of the secret are in the manifest, and in the evidence with their results', async () => {
  expect((await stage.manifestOf(keyOf('app'))).assertions).toEqual([HOLDS, SEES_ALL]);
  const outcome = await drill(stage, byHand(keyOf('app')));
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(await evidenceIn(stage, outcome)).toMatchObject({
    verdict: 'equal',
    reason: expect.stringContaining('; 2 of 2 assertions are true.'),
    assertions: [
      { sql: HOLDS, result: 'true', reason: null },
      { sql: SEES_ALL, result: 'true', reason: null },
    ],
  });
});

test('a database is different if an assertion about it is not true', async () => {
  const expected = [
    { sql: 'SELECT count(*) > 100 FROM public.orders', result: 'false', reason: null },
    { sql: 'SELECT max(total) > 1 FROM public.orders WHERE i > 10', result: 'null', reason: null },
    { sql: 'SELECT true WHERE false', result: 'null', reason: null },
    { sql: HOLDS, result: 'true', reason: null },
    { sql: 'SELECT true FROM orders', result: 'error', reason: 'relation "orders" does not exist (SQLSTATE 42P01)' },
    {
      sql: 'SELECT public.deleted()',
      result: 'error',
      reason: 'cannot execute DELETE in a read-only transaction (SQLSTATE 25006)',
    },
    {
      sql: `SELECT pg_read_file('/etc/passwd') <> ''`,
      result: 'error',
      reason: 'permission denied for function pg_read_file (SQLSTATE 42501)',
    },
    // The value in the message is of a row.
    {
      sql: 'SELECT tenant::int > 0 FROM public.tenants',
      result: 'error',
      reason: 'invalid input syntax for type integer: … (SQLSTATE 22P02)',
    },
    { sql: 'SELECT true); SELECT (true', result: 'error', reason: expect.stringMatching(/ \(SQLSTATE 42601\)$/) },
  ];
  const key = await variant(stage, (manifest) => {
    manifest.assertions = expected.map(({ sql }) => sql);
  });
  const { verdict, reason, tables, assertions } = await drillUnequal(stage, key);
  expect({ verdict, tables }).toEqual({ verdict: 'different', tables: { total: 2, equal: 2 } });
  expect(assertions).toEqual(expected);
  expect(reason).toContain(
    '1 of 9 assertions are true; not true: SELECT count(*) > 100 FROM public.orders (it is false); ',
  );
  expect(reason).toContain('SELECT true FROM orders (relation "orders" does not exist (SQLSTATE 42P01))');
});

describe('the check of a database', () => {
  async function assertionsChecked(...drillassert: readonly string[]): Promise<readonly string[] | undefined> {
    const outcome = await stage.check('app', { secret: { drillassert } });
    expect(outcome.status).toBe(0);
    return rowsOf(outcome).Assertions;
  }

  test('parses assertions, and executes none', async () => {
    expect(await assertionsChecked('SELECT public.planted()', 'SELECT public.deleted();')).toEqual([
      'ok',
      '2 for drills, parsed but not executed',
    ]);
    expect(await stage.query('app', 'SELECT count(*)::int FROM orders')).toEqual([{ count: 10 }]);
  });

  test.each([
    ['SELECT count(*) FROM public.orders', 'argument of AND must be type boolean, not type bigint (SQLSTATE 42804)'],
    ['SELECT true, true', 'subquery must return only one column (SQLSTATE 42601)'],
    ['SELECT true FROM orders', 'relation "orders" does not exist (SQLSTATE 42P01)'],
    ['DELETE FROM public.orders RETURNING true', 'syntax error at or near "FROM" (SQLSTATE 42601)'],
    ['WITH d AS (DELETE FROM public.orders RETURNING 1) SELECT true', 'must be at the top level (SQLSTATE 0A000)'],
    ['SELECT true); DELETE FROM public.orders; SELECT (true', 'cannot insert multiple commands into a prepared'],
    [`SELECT 'x'::int > 0`, 'invalid input syntax for type integer: "x" (SQLSTATE 22P02)'],
  ])('warns of %j', async (assertion, problem) => {
    const [state, detail] = (await assertionsChecked('SELECT true', assertion)) ?? [];
    expect(state).toBe('warning');
    expect(detail).toContain(`does not accept 1 of the 2 queries in drillassert: number 2: `);
    expect(detail).toContain(problem);
  });

  test('lists no assertions where there are none', async () => {
    expect(rowsOf(await stage.check('app'))).not.toHaveProperty('Assertions');
  });
});

test('a dump is made whatever its assertions are', async () => {
  const environment = { AUTODUMP_WHEN: '2026-11-21T08:00:00Z' };
  const outcome = await stage.dump('app', { environment, secret: { drillassert: 'SELECT nothing' } });
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(outcome.stdout).toContain('Warning: Assertions: a drill of this dump will fail');
});
