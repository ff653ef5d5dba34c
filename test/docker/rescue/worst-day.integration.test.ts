import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BUCKET, keyOf, type Outcome, SECRET_ARN, SECRET_NAME, Stage } from '../support/stage.ts';

let stage: Stage;

const DAYS = [22, 23, 24, 25, 26, 27, 28].map((day) => `2026-11-${day}T08:00:00Z`);

/** The first whose dump has the damage. */
const DAMAGED_DAY = 4;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'orders',
    'CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, paid boolean)',
    `INSERT INTO orders (email, paid) SELECT 'customer' || i || '@example.com', i % 3 = 0 FROM generate_series(1, 1000) i`,
  );
  for (const [index, when] of DAYS.entries()) {
    if (index === DAMAGED_DAY) {
      await stage.query('orders', `UPDATE orders SET email = 'nobody@example.com'`);
    }
    await stage.query('orders', `INSERT INTO orders (email) SELECT 'day${index}-' || i FROM generate_series(1, 10) i`);
    expect(await stage.dump('orders', { environment: { AUTODUMP_WHEN: when } })).toMatchObject({
      status: 0,
      stderr: '',
    });
  }
});

afterAll(async () => {
  await stage.tearDown();
});

async function history(table: string): Promise<Outcome> {
  const args = ['history', table, '--secret', SECRET_NAME];
  const outcome = stage.dump('', { secret: 'none', args, environment: { AWS_REGION: 'us-west-2' } });
  return outcome;
}

test('after an UPDATE without WHERE, the day is found, and the rows come back and repair the live ones', async () => {
  const found = await history('public.orders');
  expect(found).toMatchObject({ status: 0, stderr: '' });
  const lines = found.stdout.split('\n').filter((line) => line.startsWith('2026-'));
  expect(lines.map((line) => /^\S+ {2}(\d+ rows)/.exec(line)?.[1])).toEqual(
    DAYS.map((_, index) => `${1010 + 10 * index} rows`),
  );
  const shrunk = lines.filter((line) => line.includes('+10 rows, -'));
  expect(shrunk).toEqual([expect.stringMatching(/^2026-11-26T08:00:00Z .*\/orders-20261126T080000Z\.dmp$/)]);

  const good = DAYS[DAMAGED_DAY - 1];
  const args = ['restore', `s3://${BUCKET}/${keyOf('orders', good)}`, '--to', SECRET_ARN, '--table', 'public.orders'];
  expect(await stage.dump('orders', { args })).toMatchObject({ status: 0, stderr: '' });

  const repaired = await stage.query(
    'orders',
    `WITH repaired AS (
       UPDATE orders SET email = rescued.email FROM rescued_20261125T080000Z.orders rescued
       WHERE orders.id = rescued.id AND orders.email = 'nobody@example.com' RETURNING 1)
     SELECT count(*)::int FROM repaired`,
    `SELECT count(*)::int AS rows, count(DISTINCT email)::int AS emails FROM orders`,
  );
  expect(repaired).toEqual([{ rows: 1070, emails: 1070 }]);
});

test('a table whose rows filters left out is known', async () => {
  await stage.createDatabase('filtered', 'CREATE TABLE audit AS SELECT 1 AS i');
  expect(await stage.dump('filtered', { secret: { excludetabledata: ['audit'] } })).toMatchObject({ status: 0 });
  const { status, stdout } = await history('public.audit');
  expect(stdout).toMatch(/ {2}no rows: filters left its rows out {2}.*\/filtered-20261122T080000Z\.dmp$/m);
  expect(stdout).toMatch(/ {2}no such table in its manifest {2}.*\/orders-20261122T080000Z\.dmp$/m);
  expect(status).toBe(0);
});

test('of a partitioned table, the partitions at all levels are added up, and no heirs of other tables', async () => {
  await stage.createDatabase(
    'partitioned',
    'CREATE TABLE "All" (day int, region text) PARTITION BY RANGE (day)',
    'CREATE TABLE early PARTITION OF "All" FOR VALUES FROM (0) TO (10)',
    'CREATE TABLE late PARTITION OF "All" FOR VALUES FROM (10) TO (20) PARTITION BY LIST (region)',
    `CREATE TABLE late_west PARTITION OF late FOR VALUES IN ('west')`,
    'CREATE TABLE late_other PARTITION OF late DEFAULT',
    `INSERT INTO "All" SELECT i, CASE WHEN i % 2 = 0 THEN 'west' ELSE 'east' END FROM generate_series(0, 19) i`,
    'CREATE TABLE plain AS SELECT 1 AS i',
    'CREATE TABLE heir () INHERITS (plain)',
  );
  expect(await stage.dump('partitioned')).toMatchObject({ status: 0 });
  const { tables } = await stage.manifestOf(keyOf('partitioned'));
  expect(Object.fromEntries(tables?.map(({ name, partitionOf }) => [name, partitionOf]) ?? [])).toEqual({
    ...{ early: 'public."All"', late_west: 'public."All"', late_other: 'public."All"' },
    ...{ plain: undefined, heir: undefined },
  });
  const { status, stdout } = await history('public."All"');
  expect(stdout).toMatch(/ {2}20 rows, \d+ bytes in 3 partitions {2}.*\/partitioned-20261122T080000Z\.dmp$/m);
  expect(status).toBe(0);
});

test('a table that no dump has is named, with a similar one', async () => {
  const { status, stderr } = await history('public.order');
  expect(stderr).toContain('No dump is known to have the table public.order; did you mean public.orders?');
  expect(status).toBe(77);
});
