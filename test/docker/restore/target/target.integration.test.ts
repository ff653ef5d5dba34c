import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { becomeReplica } from '../../support/replica.ts';
import { type Outcome, Stage } from '../../support/stage.ts';
import { restore } from '../../support/start-restore.ts';

let stage: Stage;

/** A user that owns the database and nothing else. */
const OWNER = { username: 'owner', password: 'x' };

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query('postgres', `CREATE ROLE owner LOGIN PASSWORD 'x'`);
  await stage.createDatabase('source', 'CREATE TABLE t AS SELECT 1 AS one');
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

function expectRefused({ status, stdout, stderr }: Outcome, ...messages: readonly string[]): void {
  for (const message of messages) {
    expect(stderr).toContain(message);
  }
  expect(stdout).not.toContain('Fetching');
  expect(status).toBe(77);
}

describe('a user who may not create what the dump contains', () => {
  beforeAll(async () => {
    await stage.query('postgres', `CREATE ROLE "Mr ""B""" LOGIN PASSWORD 'x'`);
    await stage.createDatabase(
      'schemas',
      'CREATE SCHEMA "Odd ""one"""',
      'CREATE TABLE "Odd ""one""".t (a int PRIMARY KEY)',
      'CREATE TABLE u ()',
    );
    expect(await stage.dump('schemas')).toMatchObject({ status: 0, stderr: '' });
  });

  const BUILDER = { username: 'Mr "B"', password: 'x' };

  /** Runs the SQL that the message contains. */
  async function obey({ stderr }: Outcome, database: string): Promise<void> {
    const [, sql = ''] = /run ((?:GRANT|CREATE).*;)/.exec(stderr) ?? [];
    await stage.query(database, sql);
  }

  test('is told the grants before the download, and they are enough', async () => {
    await stage.createDatabase('closed');
    const refused = await restore(stage, 'schemas', 'closed', [], { secret: BUILDER });
    expectRefused(
      refused,
      'GRANT CREATE ON DATABASE "closed" TO "Mr ""B"""',
      'GRANT USAGE, CREATE ON SCHEMA "public" TO',
    );
    await obey(refused, 'closed');
    expect(await restore(stage, 'schemas', 'closed', [], { secret: BUILDER })).toMatchObject({ status: 0, stderr: '' });
  });

  test('is told the grants for the role that its settings change it to', async () => {
    await stage.createDatabase('closed to a role');
    await stage.query(
      'postgres',
      `CREATE ROLE login LOGIN PASSWORD 'x'`,
      'CREATE ROLE worker',
      'GRANT worker TO login',
      'ALTER ROLE login SET role = worker',
    );
    const secret = { username: 'login', password: 'x' };
    const refused = await restore(stage, 'schemas', 'closed to a role', [], { secret });
    expectRefused(refused, 'The user "worker" may not create', 'ON DATABASE "closed to a role" TO "worker";');
    await obey(refused, 'closed to a role');
    expect(await restore(stage, 'schemas', 'closed to a role', [], { secret })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('is told of schemas that exist already', async () => {
    await stage.createDatabase('half open', 'CREATE SCHEMA "Odd ""one"""', 'GRANT CREATE ON SCHEMA public TO PUBLIC');
    const refused = await restore(stage, 'schemas', 'half open', ['--into-non-empty'], { secret: BUILDER });
    expectRefused(refused, 'run GRANT USAGE, CREATE ON SCHEMA "Odd ""one""" TO "Mr ""B""";');
    expect(refused.stderr).not.toContain('ON DATABASE');
    await obey(refused, 'half open');
    expect(await restore(stage, 'schemas', 'half open', ['--into-non-empty'], { secret: BUILDER })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('is told of a schema that is missing', async () => {
    await stage.createDatabase('without public', 'DROP SCHEMA public');
    const refused = await restore(stage, 'schemas', 'without public');
    expectRefused(refused, 'lacks a schema that the dump uses and does not create: run CREATE SCHEMA "public"');
    await obey(refused, 'without public');
    expect(await restore(stage, 'schemas', 'without public')).toMatchObject({ status: 0, stderr: '' });
  });

  test('is told of the tablespace that its settings choose', async () => {
    await stage.query(
      'postgres',
      'SET allow_in_place_tablespaces TO on',
      `CREATE TABLESPACE "on SSD" LOCATION ''`,
      `ALTER ROLE owner SET default_tablespace = 'on SSD'`,
    );
    await stage.createDatabase('placed');
    await stage.query('postgres', 'ALTER DATABASE placed OWNER TO owner');
    const refused = await restore(stage, 'source', 'placed', [], { secret: OWNER });
    expectRefused(refused, 'run GRANT CREATE ON TABLESPACE "on SSD" TO "owner";');
    await obey(refused, 'placed');
    expect(await restore(stage, 'source', 'placed', [], { secret: OWNER })).toMatchObject({ status: 0, stderr: '' });
    await stage.query(
      'postgres',
      'ALTER ROLE owner RESET default_tablespace',
      'DROP DATABASE placed',
      // With such a one, a server does not start.
      'DROP TABLESPACE "on SSD"',
    );
  });

  test('needs nothing for what the dump does not create', async () => {
    await stage.createDatabase('only public', 'GRANT CREATE ON SCHEMA public TO PUBLIC');
    expect(await restore(stage, 'source', 'only public', [], { secret: BUILDER })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});

test("a function of another user counts as contents even in an extension, one of a superuser's or one's own does not", async () => {
  await stage.createDatabase('extended');
  await stage.query('postgres', 'ALTER DATABASE extended OWNER TO owner');
  await stage.query(
    'extended',
    'SET ROLE owner',
    'CREATE EXTENSION hstore',
    `CREATE FUNCTION public.valid(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
    'ALTER EXTENSION hstore ADD FUNCTION public.valid(int)',
  );
  expectRefused(
    await restore(stage, 'source', 'extended'),
    'is not empty: it contains, for example, public.valid(integer). Restore',
  );
  expect(await restore(stage, 'source', 'extended', [], { secret: OWNER })).toMatchObject({ status: 0, stderr: '' });
});

describe('a target that cannot be written to is refused before the download', () => {
  test.each([
    ['database', 'ALTER DATABASE "%"', 'ALTER DATABASE "read-only: database" RESET'],
    ['user', 'ALTER ROLE owner', 'ALTER ROLE "owner" RESET'],
    [
      'database user',
      'ALTER ROLE owner IN DATABASE "%"',
      'ALTER ROLE "owner" IN DATABASE "read-only: database user" RESET',
    ],
    ['global', 'ALTER ROLE ALL', 'run ALTER ROLE ALL RESET default_transaction_read_only;'],
    ['configuration file', 'ALTER SYSTEM', "turn it off in the server's configuration"],
  ])('if it is read-only by a setting whose source is: %s', async (source, set, advice) => {
    const into = `read-only: ${source}`;
    await stage.createDatabase(into);
    await stage.query('postgres', `ALTER DATABASE "${into}" OWNER TO owner`);
    const statement = set.replace('%', into);
    await stage.query('postgres', `${statement} SET default_transaction_read_only = on`, 'SELECT pg_reload_conf()');
    // The server may begin another session before it has read its configuration.
    let shown: unknown;
    while (shown !== 'on' && source === 'configuration file') {
      shown = (await stage.query(into, 'SHOW default_transaction_read_only'))[0]?.default_transaction_read_only;
    }
    const outcome = await restore(stage, 'source', into, [], { secret: OWNER });
    await stage.query(
      'postgres',
      'SET default_transaction_read_only = off',
      `${statement} RESET default_transaction_read_only`,
      'SELECT pg_reload_conf()',
    );
    expectRefused(outcome, `default_transaction_read_only is on (set for: ${source})`, advice);
  });

  // The last test, as the server stays one.
  test('if it is a standby', async () => {
    await stage.createDatabase('standby');
    await stage.query('postgres', 'CHECKPOINT');
    await becomeReplica(stage);
    expectRefused(await restore(stage, 'source', 'standby'), 'is a standby, and cannot be written to');
  });
});
