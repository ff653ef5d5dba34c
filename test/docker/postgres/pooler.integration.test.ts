import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type PgBouncer, startPgBouncer, wherePgBouncerIsInstalled } from '../../support/pgbouncer.ts';
import { inState, rowsOf } from '../support/findings-table.ts';
import { keyOf, type RunOptions, Stage } from '../support/stage.ts';
import { startRestore } from '../support/start-restore.ts';

let stage: Stage;
let pooler: PgBouncer;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT 1 AS i');
  await stage.createDatabase('target');
});

afterAll(async () => {
  await stage.tearDown();
});

function through({ port }: PgBouncer, secret: Readonly<Record<string, unknown>> = {}): RunOptions {
  return { secret: { port, ...secret } };
}

test('a proxy that only passes on bytes is no pooler', async () => {
  const { host, port } = stage.postgres;
  const proxy = createServer((client) => {
    const server = connect(port, host);
    pipeline(client, server, client).catch(() => undefined);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const checked = await stage.check('app', { secret: { port: (proxy.address() as AddressInfo).port } });
  proxy.close();
  expect(rowsOf(checked).Pooler).toEqual(['ok', 'none: the server itself answers']);
});

wherePgBouncerIsInstalled('a pooler', () => {
  afterEach(() => pooler.stop());

  test('of transactions is refused, and the session of the application behind it stays untouched', async () => {
    pooler = await startPgBouncer(stage.postgres, 'transaction');
    const { user, password } = stage.postgres;
    const application = new pg.Client({ host: pooler.host, port: pooler.port, user, password, database: 'app' });
    await application.connect();
    await application.query(
      "SET client_encoding TO 'LATIN1'; SET search_path TO public; SET statement_timeout TO 12345",
    );
    const state = async () => {
      const { rows: settings } = await application.query('SELECT name, setting FROM pg_settings ORDER BY name');
      const { rows: objects } = await application.query(
        'SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors)',
      );
      const { rows } = await application.query('SELECT i FROM t');
      return { settings, objects, rows };
    };
    const before = await state();
    const checked = await stage.check('app', through(pooler));
    expect(checked).toMatchObject({ status: 77, stderr: expect.stringContaining('"pooler": "session"') });
    expect(inState(checked, 'problem')).toEqual(['Pooler']);
    expect(rowsOf(checked)['Tables, sequences']).toEqual(['ok', 'all readable']);
    expect(await stage.dump('app', through(pooler))).toMatchObject({ status: 77 });
    expect(await stage.dump('app')).toMatchObject({ status: 0 });
    const restore = await startRestore(stage, 'app', 'target', [], through(pooler));
    expect(await restore.outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('connection pooler') });
    expect(await stage.query('target', "SELECT FROM pg_class WHERE relname = 't'")).toEqual([]);
    // By the session of the application.
    const own = await startRestore(stage, 'app', 'app', [], through(pooler));
    expect(await own.outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('connection pooler') });
    expect(await state()).toEqual(before);
    await application.end();
  });

  test('of sessions is dumped through with a warning, if the secret says that it is one', async () => {
    pooler = await startPgBouncer(stage.postgres, 'session');
    const environment = { AUTODUMP_WHEN: '2026-11-22T09:00:00Z' };
    expect(await stage.dump('app', { ...through(pooler), environment })).toMatchObject({ status: 77 });
    const options = { ...through(pooler, { pooler: 'session' }), environment };
    const checked = await stage.check('app', options);
    expect(checked.status).toBe(0);
    expect(rowsOf(checked).Pooler).toEqual(['warning', expect.stringContaining('the secret says')]);
    expect(await stage.dump('app', options)).toMatchObject({ status: 0 });
    expect(await stage.hasObject(keyOf('app', environment.AUTODUMP_WHEN))).toBe(true);
  });

  test('of sessions is restored through, whatever timeouts the user has', async () => {
    expect(await stage.dump('app', { environment: { AUTODUMP_WHEN: '2026-11-22T08:00:00Z' } })).toMatchObject({
      status: 0,
    });
    await stage.query(
      'postgres',
      `CREATE ROLE hasty LOGIN PASSWORD 'x'`,
      `ALTER ROLE hasty SET statement_timeout TO '30s'`,
      `ALTER ROLE hasty SET idle_session_timeout TO '1h'`,
      'ALTER DATABASE target OWNER TO hasty',
    );
    pooler = await startPgBouncer(stage.postgres, 'session', { hasty: 'x' });
    const secret = { username: 'hasty', password: 'x', pooler: 'session' };
    const restore = await startRestore(stage, 'app', 'target', ['--jobs', '1'], through(pooler, secret));
    const { status, stdout, stderr } = await restore.outcome;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Warning: idle_session_timeout may end the restore, and cannot be set to 0 through a');
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, 'Login', 77, 'Wrong password'],
    ['an unknown user', { username: 'nobody' }, 'Login', 77, 'Wrong password'],
    ['the database of its console', { dbname: 'pgbouncer' }, 'Login', 77, 'does not allow this user'],
    ['an unknown database', { dbname: 'nowhere' }, 'Database', 77, 'There is no such database'],
  ])('reports %s as the server does', async (_, secret, step, status, message) => {
    pooler = await startPgBouncer(stage.postgres, 'transaction');
    const checked = await stage.check('app', through(pooler, secret));
    expect(checked).toMatchObject({ status, stderr: expect.stringContaining(message) });
    expect(inState(checked, 'problem')).toEqual([step]);
  });

  test('of statements is refused', async () => {
    pooler = await startPgBouncer(stage.postgres, 'statement');
    const checked = await stage.check('app', through(pooler));
    expect(checked).toMatchObject({ status: 77, stderr: expect.stringContaining('statement pooling mode') });
  });
});
