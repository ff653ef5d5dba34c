import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PLAIN_ROLE } from '../../support/plain-role.ts';
import { keyOf, type Outcome, type RunOptions, Stage } from '../../support/stage.ts';
import { restore as runRestore } from '../../support/start-restore.ts';

let stage: Stage;

const ROLES = ['"Mr ""B"', 'readers', 'boss', 'author', 'filtered'];
const NAMED_IN_ROWS = ['watched', 'watchers', '"on Duty"', '"by ""Law"'];
const NAMED_IN_SETTINGS = ['acting', 'standing'];

/** May create roles and databases, and is no superuser, like the master user of RDS. */
const MASTER = { username: 'master', password: 'x' };

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query(
    'postgres',
    `CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD 'x'`,
    `CREATE ROLE "Mr ""B" LOGIN NOINHERIT CONNECTION LIMIT 3 VALID UNTIL '2030-01-01 00:00+00' PASSWORD 'geheim'`,
    'CREATE ROLE readers',
    'CREATE ROLE boss SUPERUSER CREATEDB',
    'CREATE ROLE author LOGIN',
    'CREATE ROLE filtered',
    'GRANT readers TO "Mr ""B" WITH ADMIN OPTION',
    'GRANT pg_monitor TO readers',
    `ALTER ROLE author SET search_path = books, "My, books"`,
    `ALTER ROLE author SET app.key = 'geheim'`,
    `COMMENT ON ROLE author IS 'writes'`,
    'GRANT SET ON PARAMETER log_statement TO author',
    'SET allow_system_table_mods TO on',
    // A server takes a label only if it has loaded its provider.
    `INSERT INTO pg_shseclabel VALUES ('author'::regrole, 'pg_authid'::regclass, 'masker', 'MASKED')`,
    ...[...NAMED_IN_ROWS, ...NAMED_IN_SETTINGS].map((name) => `CREATE ROLE ${name}`),
  );
  await stage.createDatabase(
    'source',
    'CREATE TABLE t AS SELECT 1 AS one',
    'ALTER TABLE t OWNER TO author',
    'GRANT SELECT ON t TO readers, boss, postgres',
  );
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase(
    'policed',
    'CREATE TABLE t AS SELECT 1 AS one',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY p ON t TO filtered USING (true)',
    'CREATE EXTENSION postgres_fdw',
    'CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw',
    `CREATE USER MAPPING FOR author SERVER s OPTIONS (password 'geheim')`,
  );
  expect(await stage.dump('policed')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase(
    'naming',
    'CREATE DOMAIN duty AS regrole',
    'CREATE TABLE duties (since date, role duty, further duty[])',
    `INSERT INTO duties VALUES (now(), 'watched', NULL), (now(), NULL, ARRAY['"on Duty"', NULL, '-']::regrole[])`,
    'CREATE TABLE audit (value aclitem, item aclitem[])',
    `INSERT INTO audit VALUES ('watchers=r/postgres', NULL),
      (NULL, ARRAY[[makeaclitem('"by ""Law"'::regrole, 'watchers'::regrole, 'SELECT', false)], [NULL::aclitem]])`,
    `CREATE FUNCTION act() RETURNS int LANGUAGE sql SET role = 'acting' AS 'SELECT 1'`,
    `ALTER ROLE author IN DATABASE naming SET role = 'standing'`,
  );
  expect(await stage.dump('naming')).toMatchObject({ status: 0, stderr: '' });
  await stage.query('postgres', 'DROP DATABASE naming');
  await stage.query('source', 'DROP OWNED BY readers, boss, author');
  await stage.query('policed', 'DROP OWNED BY filtered, author');
  await stage.query(
    'postgres',
    ...[...ROLES, ...NAMED_IN_ROWS, ...NAMED_IN_SETTINGS].map((name) => `DROP ROLE ${name}`),
  );
});

afterAll(() => stage.tearDown());

async function restore(dumped: string, into: string, args?: readonly string[], options?: RunOptions): Promise<Outcome> {
  await stage.createDatabase(into);
  await stage.query('postgres', `ALTER DATABASE "${into}" OWNER TO master`);
  return runRestore(stage, dumped, into, args, options);
}

test('the manifest has the roles with attributes and memberships, and no password', async () => {
  const manifest = await stage.manifestOf(keyOf('source'));
  expect(manifest.needs?.roles).toEqual([
    {
      ...PLAIN_ROLE,
      name: 'Mr "B',
      uses: [],
      login: true,
      inherit: false,
      connectionLimit: 3,
      validUntil: expect.stringMatching(/^(2029|2030)-/),
      memberOf: [{ role: 'readers', admin: true, inherit: null, set: null }],
    },
    {
      ...PLAIN_ROLE,
      name: 'author',
      uses: ['ownership'],
      login: true,
      settings: [
        { name: 'app.key', value: null },
        { name: 'search_path', value: 'books, "My, books"' },
      ],
      comment: 'writes',
      securityLabels: [{ provider: 'masker', label: 'MASKED' }],
      parameters: [{ parameter: 'log_statement', privilege: 'SET', grantable: false }],
    },
    { ...PLAIN_ROLE, name: 'boss', uses: ['grants'], superuser: true, createDatabase: true },
    expect.objectContaining({ name: 'postgres', uses: ['grants'] }),
    {
      ...PLAIN_ROLE,
      name: 'readers',
      uses: ['grants'],
      memberOf: [{ role: 'pg_monitor', admin: false, inherit: null, set: null }],
    },
  ]);
  const { needs } = await stage.manifestOf(keyOf('policed'));
  expect(needs?.userMappings).toEqual([{ server: 's', role: 'author', hasOptions: true }]);
  expect(JSON.stringify([manifest, needs])).not.toMatch(/geheim|SCRAM/);
});

test('the owner of a publication is a role that the manifest has', async () => {
  await stage.createDatabase('published', 'CREATE ROLE publisher', 'CREATE PUBLICATION p', 'CREATE PUBLICATION q');
  await stage.query('published', 'ALTER PUBLICATION p OWNER TO publisher');
  expect(await stage.dump('published')).toMatchObject({ status: 0, stderr: '' });
  expect((await stage.manifestOf(keyOf('published'))).needs?.roles).toMatchObject([
    { name: 'postgres', uses: ['ownership'] },
    { name: 'publisher', uses: ['ownership'] },
  ]);
});

test('what the user that dumps may not see does not fail the dump, and the manifest says so', async () => {
  await stage.query('postgres', `CREATE ROLE dumper LOGIN PASSWORD 'x'`);
  await stage.createDatabase(
    'hidden',
    'REVOKE SELECT ON pg_auth_members FROM PUBLIC',
    `ALTER DATABASE hidden SET "app.key" = 'geheim'`,
    'ALTER DATABASE hidden SET search_path = a, "B c"',
  );
  const secret = { username: 'dumper', password: 'x' };
  expect(await stage.dump('hidden', { secret })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('needs besides its dump: roles: permission denied for table pg_auth_members'),
    stderr: '',
  });
  expect((await stage.manifestOf(keyOf('hidden'))).needs).toEqual({
    database: {
      owner: 'postgres',
      settings: [
        { role: null, name: 'app.key', value: null },
        { role: null, name: 'search_path', value: 'a, "B c"' },
      ],
      grants: null,
      comment: null,
      connectionLimit: -1,
      securityLabels: [],
      isTemplate: false,
    },
    roles: null,
    userMappings: [],
    unseen: ['roles: permission denied for table pg_auth_members'],
  });
});

test('missing roles that only grants name are named with their SQL, and cost no data', async () => {
  const { status, stdout, stderr } = await restore('source', 'named');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(
    'Warning: the server lacks roles that the dump refers to: "Mr ""B" (memberships); "author" (ownership); ' +
      '"boss" (grants); "readers" (grants).',
  );
  expect(stdout).toMatch(
    /^CREATE ROLE "Mr ""B" NOINHERIT CONNECTION LIMIT 3 VALID UNTIL '(2029|2030)-.*';\nCREATE ROLE "author";\nCREATE ROLE "boss";\nCREATE ROLE "readers";\nALTER ROLE "author" SET "search_path" TO 'books', 'My, books';\nGRANT SET ON PARAMETER "log_statement" TO "author";\nCOMMENT ON ROLE "author" IS 'writes';\nSECURITY LABEL FOR "masker" ON ROLE "author" IS 'MASKED';\nALTER ROLE "boss" SUPERUSER;\nALTER ROLE "boss" CREATEDB;\nGRANT "readers" TO "Mr ""B" WITH ADMIN OPTION;\nGRANT "pg_monitor" TO "readers";$/m,
  );
  expect(stdout).toContain(`ALTER ROLE … LOGIN PASSWORD '…': "Mr ""B", "author"`);
  expect(stdout).toContain('neither in the manifest nor in the dump: ALTER ROLE "author" SET "app"."key" TO …;');
  expect(stdout.indexOf('CREATE ROLE')).toBeLessThan(stdout.indexOf('Fetching'));
});

test('owners are not restored, and those of the dumped database are named before the download', async () => {
  const { stdout } = await restore('source', 'of others');
  const [before = ''] = stdout.split('Fetching');
  expect(before).toContain(
    'Note: all that the restore creates will belong to the user "postgres". The dumped database, or what is in it, belonged to "author".',
  );
});

test('missing roles of policies and user mappings are refused before the download', async () => {
  const { status, stdout, stderr } = await restore('policed', 'refused');
  expect(stderr).toContain('with a row its whole table: "author", "filtered".');
  expect(stdout).toContain('CREATE ROLE "filtered";');
  expect(stdout).not.toContain('Fetching');
  expect(status).toBe(77);
});

test('and so are roles that only rows name, while those of settings are named', async () => {
  const { status, stdout, stderr } = await restore('naming', 'unnamed');
  expect(stderr).toContain('with a row its whole table: "by ""Law", "on Duty", "watched", "watchers".');
  expect(stdout).toContain('"acting" (settings)');
  expect(stdout).toContain('"standing" (settings)');
  expect(stdout).not.toContain('Fetching');
  expect(status).toBe(77);
});

test('a user who may not create roles, by a role that is set for it, is refused before the download', async () => {
  await stage.query(
    'postgres',
    `CREATE ROLE login LOGIN CREATEROLE PASSWORD 'x'`,
    'CREATE ROLE owner',
    'GRANT owner TO login',
    'ALTER ROLE login SET role = owner',
    'CREATE DATABASE owned OWNER owner TEMPLATE template0',
  );
  const { status, stdout, stderr } = await runRestore(stage, 'source', 'owned', ['--create-roles'], {
    secret: { username: 'login', password: 'x' },
  });
  expect(stderr).toContain('The user "owner" may not create roles');
  expect(stdout).not.toContain('Fetching');
  expect(status).toBe(77);
});

test('--create-roles creates them, and names what the user may not grant', async () => {
  const { status, stdout, stderr } = await restore('source', 'created', ['--create-roles'], { secret: MASTER });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('Created: CREATE ROLE "readers";');
  expect(stdout).toMatch(/^Warning: not created: must be superuser.* \| ALTER ROLE "boss" SUPERUSER;$/m);
  expect(
    await stage.query(
      'created',
      `SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, has_table_privilege(oid, 't', 'SELECT') AS reads
       FROM pg_roles WHERE rolname IN ('Mr "B', 'boss', 'readers') ORDER BY 1`,
    ),
  ).toEqual([
    { rolname: 'Mr "B', rolcanlogin: false, rolsuper: false, rolcreatedb: false, reads: false },
    { rolname: 'boss', rolcanlogin: false, rolsuper: false, rolcreatedb: true, reads: true },
    { rolname: 'readers', rolcanlogin: false, rolsuper: false, rolcreatedb: false, reads: true },
  ]);
  expect(
    await stage.query('created', `SELECT pg_has_role('Mr "B', 'readers', 'MEMBER WITH ADMIN OPTION') AS admin`),
  ).toEqual([{ admin: true }]);
});

test('and default privileges of one of them are listed, with what its creator does to have them', async () => {
  await stage.createDatabase(
    'defaulting',
    'CREATE ROLE "Chief"',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "Chief" GRANT SELECT ON TABLES TO PUBLIC',
  );
  expect(await stage.dump('defaulting')).toMatchObject({ status: 0, stderr: '' });
  await stage.query('defaulting', 'DROP OWNED BY "Chief"', 'DROP ROLE "Chief"');
  const { status, stdout } = await restore('defaulting', 'by default', ['--create-roles'], { secret: MASTER });
  const [, refused = ''] = /^Warning: not restored: .* Command was: (ALTER DEFAULT .*;)$/m.exec(stdout) ?? [];
  expect(stdout).toContain('have an administrator of the role run GRANT … TO "master" (from PostgreSQL 16 on');
  expect(status).toBe(0);
  await stage.query(
    'by default',
    'SET ROLE master',
    'GRANT "Chief" TO "master"',
    refused,
    'REVOKE "Chief" FROM "master"',
  );
  expect(await stage.query('by default', 'SELECT defaclrole::regrole::text AS role FROM pg_default_acl')).toEqual([
    { role: '"Chief"' },
  ]);
});

test('and then a dump with policies and user mappings can be restored', async () => {
  const { status, stderr } = await restore('policed', 'with policies', ['--create-roles']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await stage.query('with policies', `SELECT polroles::regrole[]::text AS roles FROM pg_policy`)).toEqual([
    { roles: '{filtered}' },
  ]);
});

test('nor does a table that names roles lack its rows', async () => {
  const { status, stderr } = await restore('naming', 'named again', ['--create-roles']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await stage.query('named again', 'SELECT role::text, further::text FROM duties ORDER BY role')).toEqual([
    { role: 'watched', further: null },
    { role: null, further: '{"\\"on Duty\\"",NULL,-}' },
  ]);
});

describe('a role that nobody may create', () => {
  /** Restores a dump whose manifest has a role that the server refuses. */
  async function restoreWithout(name: string, dumped: string, into: string): Promise<Outcome> {
    await stage.query('postgres', `DROP ROLE IF EXISTS ${name}`);
    const manifest = await stage.manifestOf(keyOf(dumped));
    const roles = manifest.needs?.roles?.map((role) => (role.name === name ? { ...role, connectionLimit: -5 } : role));
    await stage.replaceManifest(keyOf(dumped), { ...manifest, needs: { ...manifest.needs, roles } });
    return restore(dumped, into, ['--create-roles']);
  }

  test('does not keep a dump with policies for it from being restored', async () => {
    await stage.query('postgres', 'DROP DATABASE IF EXISTS "with policies"');
    const { status, stdout, stderr } = await restoreWithout('filtered', 'policed', 'without policies');
    expect(stdout).toContain('Warning: not created: invalid connection limit: -5 | CREATE ROLE "filtered"');
    expect(stdout).toContain('Command was: CREATE POLICY p ON public.t TO filtered USING (true);');
    expect(stderr).toContain('it need not be restored again: fix the cause, and run them here.');
    expect(status).toBe(77);
    expect(await stage.query('without policies', 'SELECT one FROM t')).toEqual([{ one: 1 }]);
  });

  test('keeps one with rows that name it from being restored in part', async () => {
    await stage.query('postgres', 'DROP DATABASE IF EXISTS "named again"');
    const { status, stdout, stderr } = await restoreWithout('watched', 'naming', 'without rows');
    expect(stderr).toContain('with a row its whole table: "watched".');
    expect(stdout).not.toContain('drop it');
    expect(status).toBe(77);
    expect(await stage.query('without rows', `SELECT FROM pg_class WHERE relname = 'duties'`)).toEqual([]);
  });
});
