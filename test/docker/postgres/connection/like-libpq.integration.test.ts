import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { z } from 'zod';
import { withConnection } from '../../../../docker/postgres/connection/connection.ts';
import { queryRow } from '../../../../docker/postgres/connection/query.ts';
import { NOTHING_EXCLUDED } from '../../../../docker/postgres/filters/exclusions.ts';
import { takeInventory } from '../../../../docker/postgres/inventory.ts';
import { contentsOf } from '../../../../docker/restore/target/contents.ts';
import { ANY_CHARACTER } from '../../../support/any-character.ts';
import { inState, rowsOf } from '../../support/findings-table.ts';
import { keyOf, Stage } from '../../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT 1', 'CREATE ROLE someone LOGIN SUPERUSER');
});

afterAll(async () => {
  await stage.tearDown();
});

/** Verifier of a password, as `ALTER ROLE` takes it. */
function verifier(password: string, iterations: number): string {
  const salt = Buffer.from('0123456789abcdef');
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}

function logIn(password: string): Promise<unknown> {
  const { host, port } = stage.postgres;
  const settings = { host, port, user: 'someone', password, database: 'app' };
  const { signal } = new AbortController();
  return withConnection(settings, { mode: 'disable' }, signal, (client) =>
    queryRow(client, 'SELECT current_user', z.object({ current_user: z.string() })),
  );
}

const setPassword = (password: string) => `ALTER ROLE someone PASSWORD ${pg.escapeLiteral(password)}`;

/** Characters that SASLprep maps, prohibits or has never heard of, letters of both directions, and any others. */
const CHARACTERS = [
  ...['a', 'B', '1', ' ', '\u00fc', 'u\u0308', '\u00a0', '\u3000', '\u200b', '\u00ad', '\u200d', '\ufe0f', '\ufeff'],
  ...['\u2764', '\u{1f600}', '\u{1f468}', '\u{1f130}', '\u2168', '\uff21', '\ufb01', '\u05d0', '\u0627', '\ufdfa'],
  ...['\u0660', '\u200e', '\u202e', '\ue000', '\u0085', '\u{e0001}', '\u4e00', '\u1e9e', '\u0374', '\ud55c'],
];

describe('a password that libpq logs in with', () => {
  test('works whatever its characters', async () => {
    const character = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...CHARACTERS) },
      fc.string({ unit: ANY_CHARACTER }),
    );
    const passwords = fc
      .array(character, { minLength: 1, maxLength: 5 })
      .map((characters) => characters.join(''))
      .filter((password) => password !== '' && !password.includes('\0'));
    const client = await stage.connect('app');
    await fc.assert(
      fc.asyncProperty(passwords, async (password) => {
        await client.query(setPassword(password));
        expect(await logIn(password)).toEqual({ current_user: 'someone' });
      }),
      { numRuns: 200 },
    );
    await client.end();
  });

  test('works in a dump as well, where it has a variation selector', async () => {
    const password = '\u{1f600}\u2764\ufe0f pass';
    await stage.query('app', setPassword(password));
    const secret = { username: 'someone', password };
    expect(await stage.check('app', { secret })).toMatchObject({ status: 0 });
    expect(await stage.dump('app', { secret })).toMatchObject({ status: 0 });
  });

  test('works for MD5, where it is not normalized', async () => {
    const password = 'u\u0308\u00a0';
    await stage.query('app', "SET password_encryption TO 'md5'", setPassword(password));
    await stage.writeServerFile('pg_hba.conf', 'host all all 127.0.0.1/32 md5\n');
    await stage.query('app', 'SELECT pg_reload_conf()');
    expect(await stage.check('app', { secret: { username: 'someone', password } })).toMatchObject({ status: 0 });
  });

  test('works with a million iterations, and is refused with more than can be computed in time', async () => {
    await stage.query('app', setPassword(verifier('p', 1_000_000)));
    expect(await logIn('p')).toEqual({ current_user: 'someone' });
    // ALTER ROLE would compute it.
    const endless = verifier('p', 1).replace('$1:', () => '$2000000000:');
    await stage.query('app', `UPDATE pg_authid SET rolpassword = '${endless}' WHERE rolname = 'someone'`);
    await expect(logIn('p')).rejects.toMatchObject({ reason: 'refused', step: 'login' });
  });
});

test('settings of the role that cancel what takes long do not cancel the questions', async () => {
  await stage.query(
    'app',
    "CREATE ROLE hasty LOGIN SUPERUSER PASSWORD 'p'",
    "ALTER ROLE hasty SET lock_timeout TO '1ms'",
    "ALTER ROLE hasty SET idle_in_transaction_session_timeout TO '1ms'",
    "ALTER ROLE hasty SET statement_timeout TO '250ms'",
    'ALTER ROLE hasty SET default_transaction_isolation TO serializable',
    'ALTER ROLE hasty SET default_transaction_deferrable TO on',
  );
  const { host, port } = stage.postgres;
  const settings = { host, port, user: 'hasty', password: 'p', database: 'app' };
  const answer = await withConnection(settings, { mode: 'disable' }, new AbortController().signal, async (client) => {
    await client.query('SELECT pg_sleep(0.5)');
    await new Promise((resolve) => setTimeout(resolve, 100));
    return queryRow(
      client,
      "SELECT current_setting('lock_timeout') AS lock, current_setting('transaction_deferrable') AS deferrable",
      z.object({ lock: z.string(), deferrable: z.string() }),
    );
  });
  expect(answer).toEqual({ lock: '0', deferrable: 'off' });
});

test('a setting of the role that leaves questions no room on the disk does not fail them', async () => {
  await stage.createDatabase('app of many', ...Array.from({ length: 300 }, (_, i) => `CREATE TABLE t${i} (i serial)`));
  await stage.query(
    'app of many',
    "CREATE ROLE frugal LOGIN SUPERUSER PASSWORD 'p'",
    'ALTER ROLE frugal SET temp_file_limit TO 0',
    "ALTER ROLE frugal SET work_mem TO '64kB'",
  );
  const { host, port } = stage.postgres;
  const settings = { host, port, user: 'frugal', password: 'p', database: 'app of many' };
  await withConnection(settings, { mode: 'disable' }, new AbortController().signal, async (client) => {
    expect(await contentsOf(client)).not.toEqual([]);
    expect((await takeInventory(client, NOTHING_EXCLUDED)).tables).toHaveLength(300);
  });
});

test('a client_encoding of the role does not decide about the encoding of the dump', async () => {
  await stage.createDatabase(
    'in UTF8',
    `CREATE TABLE t AS SELECT 'żółw' AS text`,
    `CREATE ROLE latin LOGIN SUPERUSER PASSWORD 'p'`,
    'ALTER ROLE latin SET client_encoding TO LATIN1',
  );
  expect(await stage.dump('in UTF8', { secret: { username: 'latin', password: 'p' } })).toMatchObject({ status: 0 });
  await stage.restore(keyOf('in UTF8'), 'from UTF8');
  expect(await stage.query('from UTF8', 'SELECT text FROM t')).toEqual([{ text: 'żółw' }]);
});

test('a role that may have a single connection can dump, although a question has none beside pg_dump', async () => {
  await stage.createDatabase(
    'single',
    'CREATE TABLE t AS SELECT 1 AS one',
    `CREATE ROLE lonely LOGIN CONNECTION LIMIT 1 PASSWORD 'p'`,
    'GRANT SELECT ON t TO lonely',
  );
  // Enough for pg_dump to be still connected, usually, when its table of contents has been read.
  await stage.query('single', `INSERT INTO t SELECT g FROM generate_series(1, 300000) g`);
  const secret = { username: 'lonely', password: 'p' };
  expect(await stage.dump('single', { secret })).toMatchObject({ status: 0, stderr: '' });
});

test('a server that keeps the size of a database to itself can be dumped', async () => {
  await stage.createDatabase(
    'secretive',
    'CREATE TABLE t AS SELECT 1 AS one',
    `CREATE ROLE curious LOGIN PASSWORD 'p'`,
    'GRANT SELECT ON t TO curious',
    'REVOKE EXECUTE ON FUNCTION pg_database_size(name) FROM PUBLIC',
  );
  const secret = { username: 'curious', password: 'p' };
  const checked = await stage.check('secretive', { secret });
  expect(rowsOf(checked).Database).toEqual(['ok', '"secretive", of unknown size']);
  expect(checked.status).toBe(0);
  expect(await stage.dump('secretive', { secret })).toMatchObject({ status: 0, stderr: '' });
  expect((await stage.manifestOf(keyOf('secretive'))).source.databaseBytes).toBeNull();
});

describe('names that are not UTF-8 are dumped', () => {
  test.each([
    ['SQL_ASCII', String.raw`convert_from('\x4772f6df65', 'SQL_ASCII')`, 'Gr\ufffd\ufffde'],
    ['WIN1252', 'chr(71) || chr(129)', 'G\ufffd'],
  ])('in a database with the encoding %s', async (encoding, expression, shown) => {
    const database = encoding.toLowerCase();
    await stage.query(
      'postgres',
      `CREATE DATABASE ${database} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await stage.query(
      database,
      `DO $$ BEGIN EXECUTE format('CREATE TABLE %I (id serial)', ${expression}); END $$`,
      'CREATE ROLE reader_of_' + database + " LOGIN PASSWORD 'p'",
    );
    const checked = await stage.check(database);
    expect(checked.status).toBe(0);
    const denied = await stage.check(database, { secret: { username: `reader_of_${database}`, password: 'p' } });
    expect(inState(denied, 'problem')).toEqual(['Tables, sequences']);
    expect(rowsOf(denied)['Tables, sequences']?.[1]).toContain(shown);
    expect(await stage.dump(database)).toMatchObject({ status: 0 });
    const { tables } = await stage.manifestOf(keyOf(database));
    expect(tables).toEqual([expect.objectContaining({ schema: 'public', name: shown })]);
  });
});
