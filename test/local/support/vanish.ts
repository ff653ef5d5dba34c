import type { PostgresServer } from '../../../local/postgres/server.ts';
import type { AppWorld } from './app-world.ts';
import { query } from './database.ts';
import { check, makeOverdue } from './overdue.ts';

/** Dumps a database, deletes rows and drops a table in it, and dumps it again. @returns the messages about that */
export async function vanish(app: AppWorld, server: PostgresServer): Promise<readonly string[]> {
  await query(server, 'postgres', 'create database shrinking');
  await query(
    server,
    'shrinking',
    'create table orders as select generate_series(1, 2000) as id',
    'create table customers as select generate_series(1, 20) as id',
  );
  const secret = await app.createSecret('shrinking', {
    value: { databasename: 'shrinking', retentiondays: 10, storageclass: 'STANDARD_IA' },
  });
  await check(app);
  await dumpAndCheck(app, secret);
  await query(server, 'shrinking', 'delete from orders where id > 300', 'drop table customers');
  return [...(await dumpAndCheck(app, secret)), ...(await check(app))].filter((text) => text.includes('VANISHED'));
}

async function dumpAndCheck(app: AppWorld, secret: string): Promise<readonly string[]> {
  await app.runNow(secret);
  await makeOverdue(app, secret);
  return check(app);
}
