import { execFile } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_PROGRAMS } from '../support/client-programs.ts';
import { inState, rowsOf, sqlOf } from '../support/findings-table.ts';
import { keyOf, Stage } from '../support/stage.ts';

const READER = { username: 'reader', password: 'p' };

let stage: Stage;

/** Contents that `reader` has exactly the necessary privileges to dump. */
const CONTENTS = [
  `CREATE ROLE readers`,
  `CREATE ROLE reader LOGIN PASSWORD 'p' IN ROLE readers`,
  `CREATE SCHEMA s`,
  `GRANT USAGE ON SCHEMA s TO reader`,
  `CREATE TABLE s.plain (id serial, number int GENERATED ALWAYS AS IDENTITY, tenant text)`,
  `CREATE TABLE s.parted (d int) PARTITION BY RANGE (d)`,
  `CREATE TABLE s.part PARTITION OF s.parted FOR VALUES FROM (1) TO (2)`,
  `CREATE UNLOGGED TABLE s.unlogged (i int)`,
  `CREATE TABLE s.config (i int)`,
  `GRANT SELECT ON ALL TABLES IN SCHEMA s TO reader`,
  `GRANT SELECT ON ALL SEQUENCES IN SCHEMA s TO readers`,
  // No rows are read from a partitioned table itself.
  `ALTER TABLE s.parted ENABLE ROW LEVEL SECURITY`,
  `CREATE VIEW s.view AS SELECT * FROM s.plain`,
  `CREATE MATERIALIZED VIEW s.materialized AS SELECT * FROM s.plain`,
  `CREATE SCHEMA closed`,
  `CREATE VIEW closed.view AS SELECT 1`,
  `CREATE EXTENSION citext`,
  `CREATE TABLE s.member (i int)`,
  `ALTER EXTENSION citext ADD TABLE s.member`,
  `ALTER EXTENSION citext ADD TABLE s.config`,
  // Like pg_extension_config_dump(), which only an extension's script may call.
  `UPDATE pg_extension SET extconfig = ARRAY['s.config'::regclass::oid], extcondition = '{""}' WHERE extname = 'citext'`,
  `SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, 'larger')`,
  `GRANT SELECT ON LARGE OBJECT 4711 TO readers`,
  `GRANT SELECT ON LARGE OBJECT 4712 TO PUBLIC`,
];

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...CONTENTS);
});

afterAll(async () => {
  await stage.tearDown();
});

/** Errors of `pg_dump` itself when run as `reader`; empty if it can dump everything. */
async function pgDumpErrors(): Promise<string> {
  const { host, port } = stage.postgres;
  const env = { PATH: CLIENT_PROGRAMS, PGHOST: host, PGPORT: String(port), PGUSER: 'reader', PGPASSWORD: 'p' };
  const args = ['--format=custom', '--no-sync', '--file=/dev/null', '--dbname=app'];
  return new Promise((resolve) => {
    execFile('pg_dump', args, { env }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
}

async function withoutRowSecurity(): Promise<void> {
  await stage.query(
    'app',
    'ALTER ROLE reader NOBYPASSRLS',
    'ALTER TABLE s.plain NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE s.plain DISABLE ROW LEVEL SECURITY',
  );
}

/** Every test restores the privileges that it found. */
afterEach(async () => {
  expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0, stderr: '' });
  expect(await pgDumpErrors()).toBe('');
});

test('a user with exactly the privileges that pg_dump needs can dump', async () => {
  const outcome = await stage.check('app', { secret: READER });
  expect(outcome).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('All checks passed: a dump can start.'),
  });
  expect(inState(outcome, 'problem')).toEqual([]);
  expect(sqlOf(outcome)).toEqual([]);
});

const GRANTED_EACH = /^-- (GRANT .*)$/;

describe.each([
  ['a schema', 'REVOKE USAGE ON SCHEMA s FROM reader', 'GRANT USAGE ON SCHEMA s TO reader', 's.config, s.part'],
  ['a table', 'REVOKE SELECT ON s.plain FROM reader', 'GRANT SELECT ON TABLE s.plain TO reader', 's.plain'],
  ['a partitioned table', 'REVOKE ALL ON s.parted FROM reader', 'GRANT SELECT ON TABLE s.parted TO reader', 's.parted'],
  ['a partition', 'REVOKE SELECT ON s.part FROM reader', 'GRANT SELECT ON TABLE s.part TO reader', 's.part'],
  ['an unlogged table', 'REVOKE SELECT ON s.unlogged FROM reader', 'ON TABLE s.unlogged TO reader', 's.unlogged'],
  ['the configuration of an extension', 'REVOKE SELECT ON s.config FROM reader', 'ON TABLE s.config', 's.config'],
  [
    'a sequence',
    'REVOKE SELECT ON SEQUENCE s.plain_id_seq FROM readers',
    'GRANT SELECT ON SEQUENCE s.plain_id_seq TO reader',
    's.plain_id_seq',
  ],
  [
    'the sequence of an identity column',
    'REVOKE SELECT ON SEQUENCE s.plain_number_seq FROM readers',
    'ON SEQUENCE s.plain_number_seq TO reader',
    's.plain_number_seq',
  ],
])('a user who may not read %s', (_, revoke, grant, name) => {
  test('gets the same result as from pg_dump, and can dump after the SQL for each object', async () => {
    await stage.query('app', revoke);
    expect(await pgDumpErrors()).toContain('permission denied');
    const outcome = await stage.check('app', { secret: READER });
    expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('may not read') });
    expect(inState(outcome, 'problem')).toEqual(['Tables, sequences']);
    expect(rowsOf(outcome)['Tables, sequences']).toEqual(['problem', expect.stringContaining(`may not read ${name}`)]);
    const each = sqlOf(outcome).flatMap((line) => GRANTED_EACH.exec(line)?.[1] ?? []);
    expect(each).toEqual([expect.stringContaining(grant)]);
    await stage.query('app', ...each);
  });
});

test('the shorter SQL grants access to all tables and sequences', async () => {
  await stage.query('app', 'REVOKE USAGE ON SCHEMA s FROM reader', 'REVOKE SELECT ON s.plain FROM reader');
  const sql = sqlOf(await stage.check('app', { secret: READER })).filter((line) => !line.startsWith('--'));
  expect(sql).toEqual(['GRANT pg_read_all_data TO reader;']);
  await stage.query('app', ...sql);
  expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0, stderr: '' });
  await stage.query(
    'app',
    'REVOKE pg_read_all_data FROM reader',
    'GRANT USAGE ON SCHEMA s TO reader',
    'GRANT SELECT ON s.plain TO reader',
  );
});

describe('row security that hides rows', () => {
  afterEach(async () => {
    expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0, stderr: '' });
    expect(await pgDumpErrors()).toBe('');
    await withoutRowSecurity();
  });

  test('is reported even with a policy that allows all rows, and fixed by the SQL', async () => {
    await stage.query(
      'app',
      'CREATE ROLE "The Owner"',
      'ALTER TABLE s.plain OWNER TO "The Owner"',
      'ALTER TABLE s.plain ENABLE ROW LEVEL SECURITY',
      'CREATE POLICY all_rows ON s.plain USING (true)',
    );
    expect(await pgDumpErrors()).toContain('row-level security');
    const outcome = await stage.check('app', { secret: READER });
    expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('row-level security on s.plain') });
    expect(inState(outcome, 'problem')).toEqual(['Row security']);
    const instead = sqlOf(outcome).flatMap((line) => GRANTED_EACH.exec(line)?.[1] ?? []);
    expect(instead).toEqual(['GRANT "The Owner" TO reader;']);
    await stage.query('app', ...instead);
    expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0 });
    expect(await pgDumpErrors()).toBe('');
    await stage.query('app', 'REVOKE "The Owner" FROM reader', ...sqlOf(outcome));
  });

  test("is not fixed by the owner's rights if it applies to the owner", async () => {
    await stage.query(
      'app',
      'ALTER TABLE s.plain ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE s.plain FORCE ROW LEVEL SECURITY',
    );
    const sql = sqlOf(await stage.check('app', { secret: READER }));
    expect(sql).toEqual([expect.stringMatching(/^-- As a superuser/), 'ALTER ROLE reader BYPASSRLS;']);
    await stage.query('app', ...sql);
  });
});

describe('large objects', () => {
  test('that the user may not read are reported before the dump, and can be read after the SQL', async () => {
    await stage.query('app', "SELECT lo_from_bytea(4710, 'unread')", 'REVOKE SELECT ON LARGE OBJECT 4712 FROM PUBLIC');
    expect(await pgDumpErrors()).toContain('permission denied for large object');
    const dumped = await stage.dump('app', { secret: READER });
    expect(dumped).toMatchObject({
      status: 77,
      stderr: expect.stringContaining('The user reader may not read 2 large objects, for example 4710'),
    });
    expect(dumped.stdout).not.toContain('Dumping');
    const outcome = await stage.check('app', { secret: READER });
    expect(outcome.status).toBe(77);
    expect(inState(outcome, 'problem')).toEqual(['Large objects']);
    // Other owners must run the SQL for their own large objects.
    await stage.query('app', 'ALTER LARGE OBJECT 4712 OWNER TO readers');
    await stage.query('app', 'SET ROLE readers', ...sqlOf(outcome));
    expect(rowsOf(await stage.check('app', { secret: READER }))['Large objects']).toEqual([
      'problem',
      expect.stringContaining('may not read the large object 4710:'),
    ]);
    await stage.query('app', ...sqlOf(outcome));
  });

  test('without access control are no problem', async () => {
    await stage.query(
      'app',
      "SELECT lo_from_bytea(4713, 'compatible')",
      'ALTER ROLE reader SET lo_compat_privileges = on',
    );
    expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0 });
    expect(await pgDumpErrors()).toBe('');
    await stage.query('app', 'ALTER ROLE reader RESET lo_compat_privileges', 'SELECT lo_unlink(4713)');
  });

  test('of the user are no problem, unless it revoked its own privilege', async () => {
    await stage.query('app', "SELECT lo_from_bytea(4714, 'own')", 'ALTER LARGE OBJECT 4714 OWNER TO reader');
    expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 0 });
    await stage.query('app', 'REVOKE SELECT ON LARGE OBJECT 4714 FROM reader');
    expect(await pgDumpErrors()).toContain('permission denied for large object');
    expect(await stage.check('app', { secret: READER })).toMatchObject({ status: 77 });
    await stage.query('app', 'SELECT lo_unlink(4714)');
  });
});

test('one run finds all problems, and its last line names them', async () => {
  await stage.query(
    'app',
    'ALTER TABLE s.plain ENABLE ROW LEVEL SECURITY',
    'REVOKE SELECT ON s.plain FROM reader',
    'REVOKE ALL ON LARGE OBJECT 4711 FROM readers, reader',
  );
  const outcome = await stage.check('app', { secret: READER });
  expect(inState(outcome, 'problem')).toEqual(['Tables, sequences', 'Row security', 'Large objects']);
  expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('may not read s.plain') });
  const dumped = await stage.dump('app', { secret: READER });
  expect(dumped.stderr).toContain('may not read s.plain');
  expect(dumped.stderr).toContain(') Row security: The user reader is subject to row-level security on s.plain');
  await stage.query('app', ...sqlOf(outcome));
  await stage.query('app', 'REVOKE pg_read_all_data FROM reader', 'GRANT SELECT ON s.plain TO reader');
  await withoutRowSecurity();
});

test('functions in the database with the names of system functions are not called', async () => {
  await stage.query(
    'app',
    'CREATE SCHEMA imitation',
    'GRANT USAGE ON SCHEMA imitation TO reader',
    "CREATE FUNCTION imitation.has_table_privilege(oid, text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    'ALTER ROLE reader SET search_path = imitation, pg_catalog',
    'REVOKE SELECT ON s.plain FROM reader',
  );
  expect(inState(await stage.check('app', { secret: READER }), 'problem')).toEqual(['Tables, sequences']);
  await stage.query('app', 'ALTER ROLE reader RESET search_path', 'GRANT SELECT ON s.plain TO reader');
});

test('contents that a dump omits are reported, also by the dump', async () => {
  await stage.createDatabase(
    'lacking',
    'CREATE EXTENSION file_fdw',
    'CREATE SERVER files FOREIGN DATA WRAPPER file_fdw',
    "CREATE FOREIGN TABLE elsewhere (t text) SERVER files OPTIONS (filename '/dev/null')",
    "CREATE SUBSCRIPTION followed CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)",
    'CREATE TABLE queued AS SELECT 1 AS one',
    'ALTER EXTENSION file_fdw ADD TABLE queued',
    'ANALYZE queued',
    'CREATE USER MAPPING FOR PUBLIC SERVER files',
    'CREATE USER MAPPING FOR reader SERVER files',
    'GRANT USAGE ON FOREIGN SERVER files TO reader',
  );
  const outcome = await stage.check('lacking', { secret: READER });
  expect(outcome.status).toBe(0);
  expect(rowsOf(outcome)['Left out']).toEqual([
    'warning',
    'a dump will not contain rows of the foreign tables public.elsewhere, which are on other servers; nor subscriptions, which pg_dump only dumps as a superuser: followed; ' +
      'nor rows of the tables public.queued, which belong to an extension that does not have them dumped (pg_extension_config_dump): they are only what CREATE EXTENSION puts into them; ' +
      'nor options, such as passwords, of user mappings that this user may not see: PUBLIC of server "files". Superusers see all, and the user of a mapping with USAGE on its server its own',
  ]);
  const dumped = await stage.dump('lacking', { secret: READER });
  expect(dumped).toMatchObject({ status: 0, stdout: expect.stringContaining('Warning: Left out: a dump will not') });
  expect(await stage.hasObject(keyOf('lacking'))).toBe(true);
});
