import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../support/stage.ts';
import { restore } from '../../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
});

afterAll(() => stage.tearDown());

function setUpOf(database: string) {
  return stage.query(
    'postgres',
    `SELECT r.rolname AS role, unnest(setconfig) AS setting, datconnlimit AS limit, datistemplate, pg_get_userbyid(datdba) AS owner,
      ARRAY(SELECT g::text FROM unnest(datacl) AS g ORDER BY 1) AS grants,
      shobj_description(d.oid, 'pg_database') AS comment
     FROM pg_database d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid LEFT JOIN pg_roles r ON r.oid = setrole
     WHERE datname = '${database}' ORDER BY 1 NULLS FIRST, 2`,
  );
}

test('the statements that a restore lists give the target what the dumped database had', async () => {
  await stage.query('postgres', 'CREATE ROLE "the ""app"', 'CREATE ROLE auditor', 'CREATE ROLE owning');
  await stage.createDatabase(
    'tuned',
    `ALTER DATABASE tuned SET search_path = '', 'a', "B, c", "$user", "d""""e"`,
    `ALTER DATABASE tuned SET work_mem = '5MB'`,
    `ALTER ROLE "the ""app" IN DATABASE tuned SET "TimeZone" = 'America/Denver'`,
    'REVOKE TEMPORARY ON DATABASE tuned FROM PUBLIC',
    'GRANT CREATE ON DATABASE tuned TO auditor WITH GRANT OPTION',
    `COMMENT ON DATABASE tuned IS 'it''s
ours, \\ too'`,
    'ALTER DATABASE tuned CONNECTION LIMIT 50',
    'ALTER DATABASE tuned IS_TEMPLATE true',
    'ALTER DATABASE tuned OWNER TO owning',
  );
  expect(await stage.dump('tuned')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase(
    'target of it',
    `ALTER DATABASE "target of it" SET work_mem = '5MB'`,
    'REVOKE ALL ON DATABASE "target of it" FROM PUBLIC',
  );
  const { status, stdout, stderr } = await restore(stage, 'tuned', 'target of it');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const statements = stdout.split('\n').filter((line) => /^(ALTER|REVOKE|GRANT|COMMENT) /.test(line));
  expect(statements.filter((statement) => statement.includes('work_mem'))).toEqual([]);
  await stage.query('postgres', ...statements);
  expect(await setUpOf('target of it')).toEqual(await setUpOf('tuned'));
});

test('a security label is listed, which the server takes if it has loaded its provider', async () => {
  await stage.createDatabase(
    'labelled',
    'SET allow_system_table_mods TO on',
    `INSERT INTO pg_shseclabel SELECT oid, 'pg_database'::regclass, 'masker', 'it''s' FROM pg_database
       WHERE datname = 'labelled'`,
  );
  expect(await stage.dump('labelled')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from labelled');
  const { stdout } = await restore(stage, 'labelled', 'from labelled');
  expect(stdout).toContain(`\nSECURITY LABEL FOR "masker" ON DATABASE "from labelled" IS 'it''s';\n`);
  expect(stdout).not.toContain('OWNER TO');
});

test('a value that may be secret is neither in the manifest nor in the log', async () => {
  await stage.createDatabase('keyed', `ALTER DATABASE keyed SET app.key = 'geheim'`);
  expect(await stage.dump('keyed')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from keyed');
  const { stdout } = await restore(stage, 'keyed', 'from keyed');
  expect(stdout).toContain('ALTER DATABASE "from keyed" SET "app"."key" TO …;');
  expect(stdout).not.toContain('geheim');
});
