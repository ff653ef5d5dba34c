import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type PostgresServer, startPostgres } from '../../../local/postgres/server.ts';
import { tempFoldersOfFile } from '../../support/temp-folder.ts';

const folder = tempFoldersOfFile();

describe('startPostgres', () => {
  let one: PostgresServer;
  let two: PostgresServer;

  beforeAll(async () => {
    [one, two] = await Promise.all([startPostgres({ directory: folder() }), startPostgres({ directory: folder() })]);
  });

  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
  });

  async function rows(server: PostgresServer, sql: string): Promise<unknown> {
    const client = new pg.Client({ ...server, database: 'postgres' });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  test('starts PostgreSQL 15 with a superuser', async () => {
    expect(await rows(one, "select current_setting('server_version_num')::int / 10000 as major")).toEqual([
      { major: 15 },
    ]);
  });

  test('requires the password', async () => {
    await expect(rows({ ...one, password: 'wrong' }, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('starts several servers side by side', async () => {
    expect(one.port).not.toBe(two.port);
    expect(await rows(one, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await rows(two, 'select 2 as two')).toEqual([{ two: 2 }]);
  });

  test('returns a server that has exited after stop, which may be called again', async () => {
    await two.stop();
    await two.stop();
    await expect(rows(two, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });
});
