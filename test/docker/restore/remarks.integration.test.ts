import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { contentsOf } from '../support/contents.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { type Outcome, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

const TABLES = Array.from({ length: 40 }, (_, i) => `t${i}`);

/** A user that owns the database and nothing else. */
const OWNER = { username: 'owner', password: 'x' };

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query('postgres', `CREATE ROLE owner LOGIN PASSWORD 'x'`, 'CREATE ROLE clerk', 'CREATE ROLE leaving');
  await stage.createDatabase(
    'granted',
    'CREATE EXTENSION hstore',
    `COMMENT ON EXTENSION hstore IS 'of ours'`,
    ...TABLES.flatMap((name) => [
      `CREATE TABLE ${name} AS SELECT 1 AS one`,
      `GRANT SELECT ON ${name} TO leaving, clerk`,
    ]),
    `COMMENT ON TABLE t0 IS 'the first'`,
    'SET allow_system_table_mods TO on',
    // A server takes a label only if it has loaded its provider.
    `INSERT INTO pg_seclabel VALUES ('t0'::regclass, 'pg_class'::regclass, 0, 'masker', 'MASKED')`,
    'ALTER DEFAULT PRIVILEGES FOR ROLE clerk GRANT SELECT ON TABLES TO PUBLIC',
    'ALTER DEFAULT PRIVILEGES FOR ROLE leaving GRANT SELECT ON TABLES TO clerk',
  );
  expect(await stage.dump('granted')).toMatchObject({ status: 0, stderr: '' });
  await stage.query('granted', 'DROP OWNED BY leaving', 'DROP ROLE leaving');
});

afterAll(async () => {
  await stage.tearDown();
});

async function expectAllButRemarks({ status, stdout, stderr }: Outcome, into: string): Promise<void> {
  expect(stdout.match(/^Warning: not restored: role "leaving" does not exist/gm)).toHaveLength(41);
  expect(stdout).toContain('Warning: not restored: ERROR:  must be owner of extension hstore');
  expect(stdout).toContain('Command was: COMMENT ON EXTENSION hstore');
  expect(stdout).toMatch(/^Warning: not restored: ERROR: {2}security label provider … .* SECURITY LABEL FOR masker/m);
  expect(stdout).toContain('ALTER DEFAULT PRIVILEGES FOR ROLE clerk');
  expect(stdout).toContain("Warning: 44 of the dump's grants, default privileges, comments and security");
  expect(stdout).toContain(`Done: the dump is restored into the database "${into}"`);
  expect(stdout).not.toContain('drop it');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await contentsOf(stage, into)).toEqual(await contentsOf(stage, 'granted'));
  expect(await stage.query(into, `SELECT obj_description('t0'::regclass) AS comment`)).toEqual([
    { comment: 'the first' },
  ]);
  // Although a grant on the same table to another role was refused.
  expect(await stage.query(into, `SELECT FROM pg_class WHERE relacl::text LIKE '%clerk=r%'`)).toHaveLength(40);
}

test.each([1, 4])(
  'grants, default privileges and comments that the server refuses are warnings, with %d connections',
  async (jobs) => {
    const into = `by ${jobs}`;
    await stage.createDatabase(into, 'CREATE EXTENSION hstore');
    await stage.query('postgres', `ALTER DATABASE "${into}" OWNER TO owner`);
    await expectAllButRemarks(await restore(stage, 'granted', into, ['--jobs', `${jobs}`], { secret: OWNER }), into);
  },
);

asRootOnLinux('and if the dump is streamed', async () => {
  await stage.createDatabase('streamed', 'CREATE EXTENSION hstore');
  await stage.query('postgres', 'ALTER DATABASE streamed OWNER TO owner');
  await withSmallDisk(async (disk) => {
    const outcome = await restore(stage, 'granted', 'streamed', [], { secret: OWNER, environment: { TMPDIR: disk } });
    await expectAllButRemarks(outcome, 'streamed');
  });
});

test('grants by themselves are warnings even if the connection is lost', async () => {
  await stage.createDatabase(
    'interrupted',
    `CREATE FUNCTION interrupt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF current_query() !~ 'GRANT.*GRANT' THEN
         PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());
       END IF;
     END $$`,
    `CREATE EVENT TRIGGER interrupt ON ddl_command_start WHEN TAG IN ('GRANT') EXECUTE FUNCTION interrupt()`,
  );
  const { status, stdout, stderr } = await restore(stage, 'granted', 'interrupted', ['--into-non-empty']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lost = /^Warning: not restored: .*: Connection terminated .*Command was: GRANT SELECT ON TABLE public.t/gm;
  expect(stdout.match(lost)).toHaveLength(80);
  expect(stdout).toContain('the database has 40 of 40 tables');
  expect(stdout).not.toContain('at most a part of the dump');
});

test('grants that the server does not refuse, and that have no effect, are warnings as well', async () => {
  await stage.createDatabase(
    'shared',
    'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    'CREATE EXTENSION pg_stat_statements',
    'REVOKE SELECT ON pg_stat_statements FROM PUBLIC',
    'CREATE TABLE "error: t" AS SELECT 1 AS one',
    'GRANT SELECT ON "error: t" TO clerk',
  );
  expect(await stage.dump('shared')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase(
    'from shared',
    'CREATE EXTENSION pg_stat_statements',
    'GRANT ALL ON SCHEMA public TO PUBLIC',
    'GRANT CREATE ON DATABASE "from shared" TO owner',
  );
  const { status, stdout, stderr } = await restore(stage, 'shared', 'from shared', [], { secret: OWNER });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.match(/^Warning: not restored: .*/gm)).toEqual([
    expect.stringContaining('COMMENT ON EXTENSION pg_stat_statements'),
    'Warning: not restored: WARNING:  no privileges could be revoked for … | ACL "SCHEMA public"',
    'Warning: not restored: WARNING:  no privileges could be revoked for … | ACL "public.TABLE pg_stat_statements"',
  ]);
  expect(stdout).toContain('Warning: 3 of the dump');
});

describe('default privileges', () => {
  beforeAll(async () => {
    await stage.createDatabase('private', 'CREATE TABLE t AS SELECT 1 AS one');
    expect(await stage.dump('private')).toMatchObject({ status: 0, stderr: '' });
  });

  test('that open what a restore creates are warned of before the download', async () => {
    await stage.createDatabase(
      'open',
      'ALTER DATABASE open OWNER TO owner',
      'ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC',
      'ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON SEQUENCES TO clerk',
      'ALTER DEFAULT PRIVILEGES FOR ROLE clerk GRANT ALL ON SEQUENCES TO PUBLIC',
    );
    const { status, stdout } = await restore(stage, 'private', 'open', [], { secret: OWNER });
    expect(stdout).toMatch(
      /Warning: the default privileges of the user "owner" .*: PUBLIC, "clerk"\. .*\n(.*\n)*Fetching/,
    );
    expect(status).toBe(0);
    expect(await stage.query('open', `SELECT has_table_privilege('clerk', 't', 'SELECT') AS open`)).toEqual([
      { open: true },
    ]);
  });

  test('that only say what is so anyway are no warning', async () => {
    await stage.createDatabase(
      'usual',
      'ALTER DATABASE usual OWNER TO owner',
      'ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON FUNCTIONS TO owner WITH GRANT OPTION',
    );
    const { status, stdout } = await restore(stage, 'private', 'usual', [], { secret: OWNER });
    expect(stdout).not.toContain('Warning: the default privileges');
    expect(status).toBe(0);
  });
});

test('grants of somebody else, on odd names in another encoding, are restored', async () => {
  const role = pg.escapeIdentifier('all; "1" of us');
  const table = pg.escapeIdentifier('Maß; "x"');
  await stage.query(
    'postgres',
    `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    `CREATE ROLE ${role}`,
  );
  await stage.query(
    'latin',
    `CREATE TABLE ${table} AS SELECT 1 AS one`,
    `GRANT SELECT ON ${table} TO clerk WITH GRANT OPTION`,
    'SET ROLE clerk',
    `GRANT SELECT ON ${table} TO ${role}`,
  );
  expect(await stage.dump('latin')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from latin');
  await stage.query('postgres', 'ALTER DATABASE "from latin" OWNER TO owner');
  const { status, stdout, stderr } = await restore(stage, 'latin', 'from latin', [], { secret: OWNER });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toContain('Warning: not restored');
  const grantees = await stage.query(
    'from latin',
    'SELECT grantee::regrole::text AS name FROM pg_class, aclexplode(relacl) WHERE relname ~ $$^Ma$$ AND grantee <> relowner',
  );
  expect(grantees.map(({ name }) => name).sort()).toEqual([role, 'clerk']);
});

test('a schema that exists already is used', async () => {
  await stage.createDatabase('arranged', 'CREATE SCHEMA ours', 'CREATE TABLE ours.t AS SELECT 1 AS one');
  expect(await stage.dump('arranged')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from arranged', 'CREATE SCHEMA ours');
  const { status, stdout, stderr } = await restore(stage, 'arranged', 'from arranged', ['--into-non-empty']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('These schemas exist already: ours');
  expect(await contentsOf(stage, 'from arranged')).toEqual(await contentsOf(stage, 'arranged'));
});

test('event triggers do not act on the restore', async () => {
  await stage.createDatabase(
    'watched',
    'CREATE TABLE seen (what text)',
    `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$`,
    'CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()',
    `COMMENT ON EVENT TRIGGER watch IS 'sees all'`,
    'GRANT SELECT ON seen TO clerk',
  );
  expect(await stage.dump('watched')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from watched');
  expect(await restore(stage, 'watched', 'from watched')).toMatchObject({ status: 0, stderr: '' });
  expect(await contentsOf(stage, 'from watched')).toEqual(await contentsOf(stage, 'watched'));
  expect(
    await stage.query(
      'from watched',
      `SELECT obj_description(oid) AS comment, has_table_privilege('clerk', 'seen', 'SELECT') AS granted
       FROM pg_event_trigger`,
    ),
  ).toEqual([{ comment: 'sees all', granted: true }]);
});
