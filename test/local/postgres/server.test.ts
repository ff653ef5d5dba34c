import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type PostgresServer, startPostgres } from '../../../local/postgres/server.ts';

describe('startPostgres', () => {
  const cleanups: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });

  async function server(): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    cleanups.push(() => rm(directory, { recursive: true }));
    const started = await startPostgres({ directory });
    cleanups.push(() => started.stop());
    return started;
  }

  async function ask(of: PostgresServer, sql: string): Promise<unknown> {
    const client = new pg.Client({ ...of, database: 'postgres' });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  test('serves PostgreSQL 15 to its superuser', async () => {
    const started = await server();
    expect(await ask(started, "select current_setting('server_version_num')::int / 10000 as major")).toEqual([
      { major: 15 },
    ]);
  });

  test('demands the password', async () => {
    const started = await server();
    await expect(ask({ ...started, password: 'wrong' }, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('runs several servers side by side', async () => {
    const [one, two] = await Promise.all([server(), server()]);
    expect(one.port).not.toBe(two.port);
    expect(await ask(one, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await ask(two, 'select 2 as two')).toEqual([{ two: 2 }]);
  });

  test('is gone after stop, which may be called again', async () => {
    const started = await server();
    await started.stop();
    await started.stop();
    await expect(ask(started, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });
});
