import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { withConnection } from '../../../docker/postgres/connection/connection.ts';
import { inspectDatabase, sizeOf } from '../../../docker/postgres/database.ts';
import { exclusionsOf, NOTHING_EXCLUDED } from '../../../docker/postgres/filters/exclusions.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';
import { takeInventory } from '../../../docker/postgres/inventory.ts';
import { inspectLockTable } from '../../../docker/postgres/lock-table.ts';
import { inspectNeeds } from '../../../docker/postgres/needs/needs.ts';
import { rolesInRows } from '../../../docker/postgres/needs/roles-in-rows.ts';
import { inspectPrivileges } from '../../../docker/postgres/privileges.ts';
import { unqualifiedNames } from '../../../docker/postgres/unqualified-names.ts';
import { inspectTarget } from '../../../docker/restore/target/database.ts';
import { targetObjects } from '../../../docker/restore/target/objects.ts';
import { targetRoles } from '../../../docker/restore/target/roles.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;

/** Ask about the database `planted`, as its administrator unless another user is given. */
const ask = <T>(questions: (client: Client) => Promise<T>, user = stage.postgres.user) => {
  const { host, port, password } = stage.postgres;
  const settings = { host, port, user, password, database: 'planted' };
  return withConnection(settings, { mode: 'disable' }, new AbortController().signal, questions);
};

const OPERATORS = [
  ['!~', 'name', 'name'],
  ['!~', 'name', 'text'],
  ['=', 'name', 'name'],
  ['=', 'name', 'text'],
  ['<>', 'name', 'name'],
  ['<>', 'name', 'text'],
  ['=', 'oid', 'oid'],
  ['=', '"char"', '"char"'],
  ['||', 'text', 'text'],
  ['||', 'text', 'oid'],
  ['*', 'integer', 'bigint'],
] as const;

/** With the parameters' types and the type of the result. */
const FUNCTIONS = [
  ['quote_ident', 'name', 'text'],
  ['quote_ident', 'text', 'text'],
  ['current_setting', 'text', 'text'],
  ['current_database', '', 'name'],
  ['pg_database_size', 'name', 'bigint'],
  ['pg_relation_size', 'oid', 'bigint'],
  ['pg_is_in_recovery', '', 'boolean'],
  ['pg_backend_pid', '', 'integer'],
  ['pg_get_userbyid', 'oid', 'name'],
  ['has_database_privilege', 'name, text', 'boolean'],
  ['has_schema_privilege', 'oid, text', 'boolean'],
  ['has_table_privilege', 'oid, text', 'boolean'],
  ['row_security_active', 'oid', 'boolean'],
] as const;

const CATALOGS = [
  'pg_namespace',
  'pg_class',
  'pg_proc',
  'pg_type',
  'pg_largeobject_metadata',
  'pg_depend',
  'pg_extension',
  'pg_subscription',
  'pg_database',
  'pg_roles',
] as const;

/** What an ordinary user who owns a database may do to have the administrator call his code. */
const PLANT = [
  'CREATE ROLE mallory LOGIN',
  'CREATE DATABASE planted OWNER mallory TEMPLATE template0',
  'ALTER DATABASE planted SET search_path = public, pg_catalog',
];

function plantedIn(schema: string): string[] {
  const body = `LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called what mallory planted'; END $$`;
  return [
    'SET ROLE mallory',
    ...OPERATORS.flatMap(([name, left, right], i) => [
      `CREATE FUNCTION ${schema}.planted_${i}(${left}, ${right}) RETURNS ${name === '||' ? 'text' : name === '*' ? 'bigint' : 'boolean'} ${body}`,
      `CREATE OPERATOR ${schema}.${name} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = ${schema}.planted_${i})`,
    ]),
    ...FUNCTIONS.map(
      ([name, parameters, result]) => `CREATE FUNCTION ${schema}.${name}(${parameters}) RETURNS ${result} ${body}`,
    ),
    `CREATE FUNCTION ${schema}.planted() RETURNS name ${body}`,
    ...CATALOGS.map((name) => `CREATE VIEW ${schema}.${name} AS SELECT ${schema}.planted() AS nspname`),
    `CREATE TABLE ${schema}.watched (role regrole)`,
    `INSERT INTO ${schema}.watched VALUES ('mallory')`,
    ...['regclass', 'regtype', 'oid'].map((name) => `CREATE DOMAIN ${schema}.${name} AS text CHECK (false)`),
  ];
}

beforeAll(async () => {
  stage = await Stage.setUp();
  const administrator = await stage.connect();
  for (const statement of PLANT) {
    await administrator.query(statement);
  }
  await administrator.end();
  const mallory = await stage.connect('planted');
  await mallory.query(plantedIn('public').join(';\n'));
  await mallory.end();
});

afterAll(() => stage.tearDown());

test('calls no operator, function, type or view that a user of the database planted', async () => {
  const answers = await ask(async (client) => {
    const database = await inspectDatabase(client);
    return {
      database,
      inventory: await takeInventory(client, NOTHING_EXCLUDED),
      exclusions: await exclusionsOf(client, { ...NO_FILTERS, schemas: ['public'], excludetables: ['watched'] }),
      needs: await inspectNeeds(client, NOTHING_EXCLUDED),
      roles: await targetRoles(client),
      privileges: await inspectPrivileges(client, database, NOTHING_EXCLUDED),
      unqualified: await unqualifiedNames(client),
      lockTable: await inspectLockTable(client, NOTHING_EXCLUDED),
      target: await inspectTarget(client),
      objects: await targetObjects(client),
      size: await sizeOf(client),
    };
  });
  expect(answers).toMatchObject({
    database: { major: 15 },
    inventory: { tables: [{ name: 'watched' }], extensions: [{ name: 'plpgsql' }] },
    needs: { database: { owner: 'mallory' }, roles: [{ uses: ['ownership', 'rows'] }], unseen: [] },
    roles: { mayCreateRoles: true },
    privileges: { user: 'postgres', unreadable: [] },
    unqualified: [],
    target: { mayCreate: true },
  });
  expect(answers.target.contents).toContain('public.pg_class');
  expect(answers.objects.relations).toContainEqual({
    schema: 'public',
    name: 'pg_class',
    kind: 'v',
    isEmpty: true,
    isPopulated: true,
  });
  expect(answers.size).toBe(answers.database.size);
});

test('calls no policy of a table as a user whom row-level security restricts', async () => {
  await stage.query(
    'planted',
    `CREATE ROLE reader LOGIN PASSWORD '${stage.postgres.password}' IN ROLE pg_read_all_data`,
    'SET ROLE mallory',
    'ALTER TABLE public.watched ENABLE ROW LEVEL SECURITY',
    "CREATE POLICY planted ON public.watched USING (public.planted() OPERATOR(pg_catalog.=) 'x')",
  );
  const rows = (client: Client) => rolesInRows(client, NOTHING_EXCLUDED);
  await expect(ask(rows, 'reader')).rejects.toThrow('affected by row-level security policy for table "watched"');
});

test("changes nothing, not even the session's settings", async () => {
  const settings = ['search_path', 'statement_timeout', 'default_transaction_read_only'];
  const shown = async (client: Client) => {
    const values: unknown[] = [];
    for (const name of settings) {
      values.push((await client.query<Record<string, unknown>>(`SHOW ${name}`)).rows[0]?.[name]);
    }
    return values;
  };
  const [during, after] = await ask(async (client) => {
    const first = await shown(client);
    await expect(client.query('SAVEPOINT s; CREATE TABLE pg_catalog.x ()')).rejects.toMatchObject({ code: '25006' });
    await client.query('ROLLBACK TO SAVEPOINT s; COMMIT');
    return [first, await shown(client)];
  });
  expect(during).toEqual(['pg_catalog, pg_temp', '0', 'off']);
  expect(after).toEqual(['public, pg_catalog', '0', 'off']);
});
