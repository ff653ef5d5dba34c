import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rowsOf } from '../support/findings-table.ts';
import { keyOf, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'shop',
    'CREATE TABLE orders AS SELECT * FROM generate_series(1, 7) AS id',
    'CREATE TABLE audit AS SELECT * FROM generate_series(1, 9) AS id',
    'CREATE TABLE log_2026 AS SELECT 1 AS id',
    'CREATE SCHEMA closed; CREATE TABLE closed.secret AS SELECT 1 AS id',
    `CREATE ROLE clerk LOGIN PASSWORD 'p'; GRANT SELECT ON orders, audit TO clerk`,
    'ALTER TABLE audit ENABLE ROW LEVEL SECURITY',
  );
});

afterAll(() => stage.tearDown());

/** What the clerk may not read is left out. */
const SECRET = {
  username: 'clerk',
  password: 'p',
  excludeschemas: ['closed'],
  excludetables: 'log_*',
  excludetabledata: ['public.audit'],
};

const LEFT_OUT =
  'the schemas closed; the tables, views and sequences closed.secret, public.log_2026; the contents of public.audit';

test('privileges are demanded only for what is dumped, and a restore has the rest', async () => {
  expect(await stage.dump('shop', { secret: SECRET })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`The filters of the secret leave out ${LEFT_OUT}\n`),
  });
  expect(JSON.parse(await readFile(`${stage.fileOf(keyOf('shop'))}.json`, 'utf8'))).toMatchObject({
    tables: [{ name: 'audit' }, { name: 'orders' }],
    filters: {
      schemas: [],
      excludeschemas: ['closed'],
      excludetables: ['log_*'],
      excludetabledata: ['public.audit'],
    },
    leftOut: {
      schemas: ['closed'],
      tables: ['closed.secret', 'public.log_2026'],
      rows: ['public.audit'],
      objectsWithoutSchema: false,
    },
  });
  await stage.createDatabase('restored');
  expect(await restore(stage, 'shop', 'restored')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`It was made with filters, which left out ${LEFT_OUT}\n`),
  });
  const [counts] = await stage.query(
    'restored',
    `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM audit) AS audit,
      to_regclass('log_2026') AS log`,
  );
  expect(counts).toEqual({ orders: 7, audit: 0, log: null });
});

test('a dump of the schema public is restored into a database that has one', async () => {
  await stage.createDatabase('only_public', 'CREATE TABLE t AS SELECT 1 AS id', 'CREATE SCHEMA other');
  expect(await stage.dump('only_public', { secret: { schemas: ['public'] } })).toMatchObject({ status: 0 });
  await stage.createDatabase('only_public_restored');
  expect(await restore(stage, 'only_public', 'only_public_restored')).toMatchObject({ status: 0 });
});

test('a restore that lacks only views of a table that was left out is worth keeping', async () => {
  await stage.createDatabase(
    'viewed',
    'CREATE TABLE kept AS SELECT 1 AS id',
    'CREATE TABLE gone AS SELECT 1 AS id',
    'CREATE VIEW of_gone AS SELECT * FROM gone',
  );
  expect(await stage.dump('viewed', { secret: { excludetables: ['gone'] } })).toMatchObject({ status: 0 });
  await stage.createDatabase('viewed_restored');
  const { status, stdout, stderr } = await restore(stage, 'viewed', 'viewed_restored');
  expect(stdout).toContain('these are missing: view public.of_gone\n');
  expect(stdout).not.toContain('drop it');
  expect(stderr).toContain(
    "What refers to something that the dump's filters left out cannot be created. All tables of the dump are there, " +
      'with all their rows, so it need not be restored again: fix the cause, and run them here.',
  );
  expect(status).toBe(77);
});

test('a restore needs no role that only what was left out names', async () => {
  await stage.createDatabase(
    'policed',
    'CREATE ROLE needed; CREATE ROLE need; CREATE ROLE "Mapped"; CREATE ROLE listed',
    'CREATE TABLE kept (); CREATE POLICY p ON kept TO needed',
    'CREATE SCHEMA gone; CREATE TABLE gone.t (); CREATE POLICY need ON gone.t TO need',
    "CREATE TABLE gone.roles AS SELECT 'listed'::regrole AS role",
    'CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw',
    'CREATE USER MAPPING FOR "Mapped" SERVER s',
  );
  expect(await stage.dump('policed', { secret: { schemas: ['public'] } })).toMatchObject({ status: 0 });
  await stage.query('postgres', 'DROP DATABASE policed', 'DROP ROLE needed, need, "Mapped", listed');
  await stage.createDatabase('policed_restored');
  const { status, stdout, stderr } = await restore(stage, 'policed', 'policed_restored');
  expect(stdout).toContain(
    'the server lacks roles that the dump refers to: "Mapped" (user mappings); "need" (policies)',
  );
  expect(stdout).not.toContain('listed');
  expect(stderr).toContain('with a row its whole table: "needed".');
  expect(status).toBe(77);
});

test.each([
  ['busy', { excludeschemas: ['busy'] }],
  ['noisy', { schemas: ['public'] }],
])('DDL in a schema that is left out does not interfere: %s', async (schema, secret) => {
  await stage.createDatabase(schema, 'CREATE TABLE held ()', `CREATE SCHEMA ${schema} CREATE VIEW v AS SELECT 1`);
  await stage.whileLocked(schema, 'held', async (release) => {
    const running = await stage.start(schema, { secret });
    await stage.untilDumpWaits(running);
    await stage.query(schema, `ALTER VIEW ${schema}.v RENAME TO w`);
    await release();
    expect(await running.outcome).toMatchObject({ status: 0, stderr: '' });
  });
});

test('schemas and sequences without any table are left out, and said to be', async () => {
  await stage.createDatabase(
    'no_tables',
    `CREATE SCHEMA api; CREATE FUNCTION api.one() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    'CREATE SEQUENCE tickets',
  );
  const checked = await stage.check('no_tables', { secret: { excludeschemas: ['api'], excludetables: ['tickets'] } });
  expect(rowsOf(checked).Filters).toEqual([
    'ok',
    'leave out the schemas api; the tables, views and sequences public.tickets',
  ]);
});

test('with schemas, large objects and extensions are left out, and said to be', async () => {
  await stage.createDatabase('one_schema', 'CREATE SCHEMA app; CREATE TABLE app.t (); SELECT lo_create(0)');
  const outcome = await stage.check('one_schema', { secret: { schemas: ['app'] } });
  expect(rowsOf(outcome).Filters).toEqual([
    'ok',
    'leave out large objects, extensions and whatever else is in no schema; the schemas public',
  ]);
  const dumped = await stage.dump('one_schema', { secret: { schemas: ['app'] } });
  expect(dumped).toMatchObject({ status: 0 });
  await stage.createDatabase('one_schema_restored');
  await restore(stage, 'one_schema', 'one_schema_restored');
  expect(
    await stage.query(
      'one_schema_restored',
      "SELECT to_regclass('app.t') IS NOT NULL AS t, (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects",
    ),
  ).toEqual([{ t: true, objects: 0 }]);
});

test.each([
  [{ excludetables: ['(log'] }, 'is invalid: invalid regular expression'],
  [{ excludetables: ['order'] }, 'the pattern order of excludetables matches nothing; did you mean public.orders?'],
])('the check names wrong filters beside all other problems: %j', async (filters, problem) => {
  const outcome = await stage.check('shop', { secret: { username: 'clerk', password: 'p', ...filters } });
  expect(outcome).toMatchObject({ status: 65 });
  expect(rowsOf(outcome)).toMatchObject({
    Filters: ['problem', expect.stringContaining(problem)],
    'Tables, sequences': ['problem', expect.stringContaining('may not read closed.secret, public.log_2026')],
  });
});
