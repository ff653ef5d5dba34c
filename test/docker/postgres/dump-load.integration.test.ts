import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type DumpLoad, inspectLoad } from '../../../docker/postgres/dump-load.ts';
import { type Exclusions, NOTHING_EXCLUDED } from '../../../docker/postgres/filters/exclusions.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp('max_connections=40', 'superuser_reserved_connections=3');
  await stage.query(
    'postgres',
    "CREATE ROLE unlimited LOGIN PASSWORD 'p'",
    "CREATE ROLE limited LOGIN PASSWORD 'p' CONNECTION LIMIT 9",
  );
  await stage.createDatabase(
    'app',
    'CREATE TABLE one (i int)',
    'CREATE TABLE other (i int) PARTITION BY LIST (i)',
    'CREATE TABLE part PARTITION OF other DEFAULT',
    'CREATE VIEW shown AS SELECT * FROM one',
    'SELECT lo_create(0) FROM generate_series(1, 3)',
  );
});

afterAll(async () => {
  await stage.tearDown();
});

async function loadAs(user: string, exclusions: Partial<Exclusions> = {}): Promise<DumpLoad> {
  const { host, port } = stage.postgres;
  const client = new pg.Client({ host, port, user, password: 'p', database: 'app' });
  await client.connect();
  try {
    return await inspectLoad(client, { ...NOTHING_EXCLUDED, ...exclusions });
  } finally {
    await client.end();
  }
}

test('tables with rows of their own count, and large objects', async () => {
  expect(await loadAs('unlimited')).toMatchObject({ tables: 2, largeObjects: 3 });
});

test.each(['relations', 'withoutRows'] as const)('tables in the excluded %s do not count', async (kind) => {
  const [row] = await stage.query('app', "SELECT 'one'::regclass::oid::int AS oid");
  expect(await loadAs('unlimited', { [kind]: [Number(row?.oid)] })).toMatchObject({ tables: 1 });
});

test('connections are free as far as server, role and database allow', async () => {
  const { freeConnections } = await loadAs('unlimited');
  expect(freeConnections).toBeGreaterThan(25);
  expect(freeConnections).toBeLessThan(37);
  expect(await loadAs('limited')).toMatchObject({ freeConnections: 8 });
  await stage.query('postgres', 'ALTER DATABASE app CONNECTION LIMIT 5');
  const ofDatabase = (await loadAs('limited')).freeConnections;
  expect(ofDatabase).toBeGreaterThan(0);
  expect(ofDatabase).toBeLessThan(5);
});
