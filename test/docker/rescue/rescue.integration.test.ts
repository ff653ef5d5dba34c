import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { COUNTED_CONTENTS } from '../support/census-contents.ts';
import { startCountingS3 } from '../support/counting-s3.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { BUCKET, keyOf, type Outcome, SECRET_ARN, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

const SCHEMA = 'rescued_20261122t080000z';

const DIFFICULT_TABLE = `"Schéma mit 'Leerzeichen'"."Table ""x"" = $1; --"`;

const SHOP: readonly string[] = [
  `CREATE TYPE status AS ENUM ('new', 'paid')`,
  'CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0)',
  'CREATE FUNCTION gross(amount) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT $1 * 1.2 $$',
  'CREATE TABLE customers (id int PRIMARY KEY, name text)',
  `INSERT INTO customers VALUES (1, 'one')`,
  `CREATE TABLE orders (
     id serial PRIMARY KEY, gone int, customer int REFERENCES customers, status status DEFAULT 'new', net amount,
     gross numeric GENERATED ALWAYS AS (gross(net)) STORED, number bigint GENERATED ALWAYS AS IDENTITY,
     "Note ""x"" (," text DEFAULT 'a,b)', CONSTRAINT positive CHECK (gross(net) > 0), UNIQUE (number))`,
  'ALTER TABLE orders DROP COLUMN gone',
  `INSERT INTO orders (customer, status, net) SELECT 1, 'paid', i FROM generate_series(1, 100) i`,
  'CREATE INDEX by_status ON orders (status) WHERE gross(net) > 10',
  'CREATE FUNCTION ignore() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
  'CREATE TRIGGER ignored BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION ignore()',
  `CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at)`,
  `CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (what)`,
  `CREATE TABLE events_2025_a PARTITION OF events_2025 FOR VALUES IN ('a')`,
  `CREATE TABLE events_rest (what text, at date NOT NULL)`,
  `ALTER TABLE events ATTACH PARTITION events_rest DEFAULT`,
  'CREATE INDEX ON events (at)',
  `CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'`,
  `CREATE TABLE codes AS SELECT 'sesame' AS code`,
  'CREATE INDEX ON codes (plain(code))',
  `INSERT INTO events SELECT date '2025-12-01' + i, 'a' FROM generate_series(1, 60) i`,
];

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...COUNTED_CONTENTS);
  await stage.createDatabase('shop', ...SHOP);
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
  expect(await stage.dump('shop')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

function rescue(dumped: string, into: string, tables: readonly string[], ...args: readonly string[]): Promise<Outcome> {
  return restore(stage, dumped, into, [...tables.flatMap((table) => ['--table', table]), ...args]);
}

/** Rows of a table as text, in an order that does not depend on where they are. */
async function rowsOf(database: string, table: string): Promise<readonly Record<string, unknown>[]> {
  return stage.query(database, `SELECT r::text FROM ${table} r ORDER BY 1`);
}

async function put(key: string, body: Buffer | string): Promise<void> {
  const { ok } = await fetch(`${stage.s3.endpoint}/${BUCKET}/${key}`, { method: 'PUT', body });
  expect(ok).toBe(true);
}

describe('rows come back beside the live ones', () => {
  test.each([
    ['public.ids', 'ids'],
    ['public.measured', 'measured'],
    ['public.measured_2025', 'measured_2025'],
    ['public.heir', 'heir'],
    ['public.plain', 'plain'],
    ['public.moods', 'moods'],
    ['public.tenants', 'tenants'],
    ['public.unlogged', 'unlogged'],
    ['public.valued', 'valued'],
    ['public.no_columns', 'no_columns'],
    [DIFFICULT_TABLE, `"Table ""x"" = $1; --"`],
  ])('of %s', async (table, name) => {
    const { status, stdout, stderr } = await rescue('app', 'app', [table]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Done: the rows in the database are those that were counted and hashed/m);
    const source = table === 'public.plain' ? 'ONLY public.plain' : table;
    expect(await rowsOf('app', `${SCHEMA}.${name}`)).toEqual(await rowsOf('app', source));
    expect(await stage.leftovers()).toEqual([]);
  });

  test('with generated columns, and without constraints, indexes, parents and sequences', async () => {
    expect(await rescue('shop', 'shop', ['public.orders', 'public.events'])).toMatchObject({ status: 0, stderr: '' });
    expect(await rowsOf('shop', `${SCHEMA}.orders`)).toEqual(await rowsOf('shop', 'orders'));
    const relations = await stage.query(
      'shop',
      `SELECT relname, relkind FROM pg_class WHERE relnamespace = '${SCHEMA}'::regnamespace ORDER BY 1`,
    );
    expect(relations).toEqual([
      { relname: 'events', relkind: 'r' },
      { relname: 'orders', relkind: 'r' },
    ]);
    const constraints = `SELECT conname FROM pg_constraint WHERE contype <> 'n' AND connamespace = '${SCHEMA}'::regnamespace`;
    expect(await stage.query('shop', constraints)).toEqual([]);
    expect(await stage.query('shop', `SELECT count(*)::int FROM ${SCHEMA}.events`)).toEqual([{ count: 60 }]);
  });

  test('and a table that changed since has the columns of the dump', async () => {
    await stage.restore(keyOf('shop'), 'changed');
    await stage.query(
      'changed',
      'ALTER TABLE orders DROP COLUMN net CASCADE',
      'ALTER TABLE orders ADD COLUMN more int',
    );
    expect(await rescue('shop', 'changed', ['public.orders'])).toMatchObject({ status: 0, stderr: '' });
    expect(await rowsOf('changed', `${SCHEMA}.orders`)).toEqual(await rowsOf('shop', 'orders'));
  });

  test('and a name in the database that is not UTF-8 is no obstacle', async () => {
    await stage.query(
      'postgres',
      `CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await stage.query(
      'bytes',
      'SET client_encoding TO SQL_ASCII',
      `DO $$ BEGIN EXECUTE 'CREATE TABLE "' || convert_from('\\xe4'::bytea, 'SQL_ASCII') || '" ()'; END $$`,
    );
    expect(await rescue('shop', 'bytes', ['public.customers'], '--accept-encoding')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(await rowsOf('bytes', `${SCHEMA}.customers`)).toEqual(await rowsOf('shop', 'customers'));
  });

  test('and what they need is taken from the dump if the database lacks it', async () => {
    await stage.createDatabase('bare', `CREATE TYPE status AS ENUM ('new', 'paid', 'void')`);
    const { status, stdout } = await rescue('shop', 'bare', ['public.orders']);
    expect(status).toBe(0);
    expect(stdout).toContain('Created from the dump, because the database did not have it: domain public.amount');
    expect(stdout).toContain('Created from the dump, because the database did not have it: function public."gross(');
    expect(stdout).not.toContain('did not have it: type public.status');
    expect(await rowsOf('bare', `${SCHEMA}.orders`)).toEqual(await rowsOf('shop', 'orders'));
  });

  test('and from a dump with a manifest of an earlier version, by its own table of contents', async () => {
    const { tables, largeObjects, ...manifest } = await stage.manifestOf(keyOf('shop'));
    expect([tables, largeObjects]).not.toContain(null);
    await put(keyOf('earlier'), await readFile(stage.fileOf(keyOf('shop'))));
    await put(`${keyOf('earlier')}.json`, JSON.stringify(manifest));
    await stage.restore(keyOf('shop'), 'earlier');
    const { status, stdout } = await rescue('earlier', 'earlier', ['public.orders', 'public.customers']);
    expect(status).toBe(0);
    expect(stdout).toContain('is unknown, because its manifest has no census');
    expect(await rowsOf('earlier', `${SCHEMA}.orders`)).toEqual(await rowsOf('shop', 'orders'));
  });

  asRootOnLinux('and from a dump that was streamed, only if its manifest says where they are', async () => {
    await stage.restore(keyOf('shop'), 'streamed');
    await withSmallDisk(async (disk) => {
      expect(await stage.dump('streamed', { environment: { TMPDIR: disk } })).toMatchObject({ status: 0 });
    });
    const { tables, dump, ...manifest } = await stage.manifestOf(keyOf('streamed'));
    expect(dump.way).toBe('stream');
    expect(await rescue('streamed', 'streamed', ['public.orders'])).toMatchObject({ status: 0, stderr: '' });
    expect(await rowsOf('streamed', `${SCHEMA}.orders`)).toEqual(await rowsOf('shop', 'orders'));

    await put(`${keyOf('streamed')}.json`, JSON.stringify({ ...manifest, dump, tables: tables && null }));
    const { status, stderr } = await rescue('streamed', 'streamed', ['public.customers']);
    expect(stderr).toContain('Neither the manifest nor the dump says where in it the rows of public.customers are');
    expect(status).toBe(77);
  });
});

describe('tables are put back as they were', () => {
  test('with partitions, defaults, sequences, indexes and constraints', async () => {
    await stage.restore(keyOf('shop'), 'lost');
    await stage.query('lost', 'DROP TABLE orders, events');
    const { status, stdout, stderr } = await rescue('shop', 'lost', ['public.orders', 'public.events'], '--as-is');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(
      'Note: not restored, although the dump has it: trigger public."orders ignored", fk constraint public."orders orders_customer_fkey"',
    );
    for (const table of ['orders', 'events', 'events_rest']) {
      expect(await rowsOf('lost', table)).toEqual(await rowsOf('shop', table));
    }
    const next = `INSERT INTO orders (net) VALUES (1) RETURNING id, number, status, gross`;
    expect(await stage.query('lost', next)).toEqual([{ id: 101, number: '101', status: 'new', gross: '1.200' }]);
    const indexes = `SELECT indexdef FROM pg_indexes WHERE tablename ~ 'orders|events' ORDER BY 1`;
    expect(await stage.query('lost', indexes)).toEqual(await stage.query('shop', indexes));
  });

  test('but not beside themselves', async () => {
    const { status, stderr } = await rescue('shop', 'shop', ['public.orders'], '--as-is');
    expect(stderr).toContain('already has public.orders: leave --as-is out to have the rows beside them');
    expect(status).toBe(77);
  });
});

describe('is refused, with the reason:', () => {
  test.each([
    ['public.idds', 'The dump has no table public.idds; did you mean public.ids'],
    ['public.per_month', 'public.per_month is a materialized view, of which a dump has no rows.'],
    ['public.empty', 'The dump has no row of public.empty.'],
    ['public.configured', 'The table public.configured belongs to an extension'],
  ])('%s', async (table, reason) => {
    const { status, stderr } = await rescue('app', 'app', [table]);
    expect(stderr).toContain(reason);
    expect(status).toBe(77);
  });

  test('rows that were restored before', async () => {
    await stage.createDatabase('twice');
    await rescue('shop', 'twice', ['public.customers']);
    const { status, stderr } = await rescue('shop', 'twice', ['public.customers']);
    expect(stderr).toContain(`already has ${SCHEMA}.customers: these rows were restored before`);
    expect(status).toBe(77);
  });

  test('what filters left out', async () => {
    const secret = { excludetables: ['public.orders'], excludetabledata: ['public.customers'] };
    const when = '2026-11-23T08:00:00Z';
    expect(await stage.dump('shop', { secret, environment: { AUTODUMP_WHEN: when } })).toMatchObject({ status: 0 });
    const tables = ['--table', 'public.orders', '--table', 'public.customers'];
    const args = ['restore', `s3://${BUCKET}/${keyOf('shop', when)}`, '--to', SECRET_ARN, ...tables];
    const { stderr } = await stage.dump('shop', { args });
    expect(stderr).toContain('The table public.orders is not in the dump: the filters of its secret left it out.');
    expect(stderr).toContain('the table public.customers without its rows: the filters of its secret left them out.');
  });
});

describe('nothing is changed', () => {
  async function expectUnchanged(database: string): Promise<void> {
    const found = await stage.query(database, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rescued%'`);
    expect(found).toEqual([]);
  }

  test('if the bytes are not the proven ones', async () => {
    await stage.createDatabase('untouched');
    const { tables } = await stage.manifestOf(keyOf('app'));
    const { offset = null, length = null } = tables?.find(({ name }) => name === 'ids') ?? {};
    const bytes = await readFile(stage.fileOf(keyOf('app')));
    const original = Buffer.from(bytes);
    const at = (offset ?? 0) + Math.trunc((length ?? 0) / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(stage.fileOf(keyOf('app')), bytes);
    const { status, stderr } = await rescue('app', 'untouched', ['public.ids']);
    await writeFile(stage.fileOf(keyOf('app')), original);
    expect(stderr).toContain('Nothing in the database was changed.');
    expect(status).toBe(69);
    await expectUnchanged('untouched');
  });

  test('if the rows are not those that were counted and hashed', async () => {
    await stage.createDatabase('hashed');
    const { tables, ...manifest } = await stage.manifestOf(keyOf('shop'));
    const changed = tables?.map((table) => ({ ...table, contentHash: table.contentHash && '0123456789abcdef' }));
    await put(keyOf('hashed'), await readFile(stage.fileOf(keyOf('shop'))));
    await put(`${keyOf('hashed')}.json`, JSON.stringify({ ...manifest, tables: changed }));
    const { status, stderr } = await rescue('hashed', 'hashed', ['public.customers']);
    expect(stderr).toMatch(
      /has 1 row of public\.customers with the hash [0-9a-f]{16}, but 1 row with the hash 0123456789abcdef/,
    );
    expect(status).toBe(69);
    await expectUnchanged('hashed');
  });

  test('if the server refuses a row, whose values are not shown', async () => {
    await stage.createDatabase('other types', `CREATE TYPE status AS ENUM ('new')`);
    const { status, stderr } = await rescue('shop', 'other types', ['public.customers', 'public.orders']);
    expect(stderr).toContain('The server refused the rows of public.orders: invalid input value for enum');
    expect(stderr).not.toContain('paid');
    expect(status).toBe(77);
    await expectUnchanged('other types');
  });

  test('if the server refuses an index for a value, which is not shown', async () => {
    const plain = `CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::int::text'`;
    await stage.createDatabase('strict', plain);
    const { status, stdout, stderr } = await rescue('shop', 'strict', ['public.codes'], '--as-is');
    expect(stderr).toContain('invalid input syntax for type integer: … (SQLSTATE 22P02)');
    expect(stdout + stderr).not.toContain('sesame');
    expect(status).toBe(77);
    expect(await stage.query('strict', "SELECT FROM pg_class WHERE relname = 'codes'")).toEqual([]);
  });

  test('if something in the database changes a row', async () => {
    await stage.createDatabase(
      'changing',
      'CREATE SCHEMA own',
      `CREATE FUNCTION own.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'x'; RETURN NEW; END $$`,
      `CREATE FUNCTION own.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
         CREATE TRIGGER change BEFORE INSERT ON ${SCHEMA}.customers FOR EACH ROW EXECUTE FUNCTION own.change(); END $$`,
      `CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION own.meddle()`,
    );
    const { status, stderr } = await rescue('shop', 'changing', ['public.customers']);
    expect(stderr).toContain(`these differ from the dump: ${SCHEMA}.customers: 1 row in both, with other contents`);
    expect(status).toBe(69);
    await expectUnchanged('changing');
  });
});

test('no more is fetched than the head and the rows', async () => {
  const rows = (count: number) => `SELECT i, sha256(i::text::bytea) FROM generate_series(1, ${count}) i`;
  await stage.createDatabase(
    'big',
    `CREATE TABLE a AS ${rows(300_000)}`,
    `CREATE TABLE b AS ${rows(60_000)}`,
    `CREATE TABLE c AS ${rows(300_000)}`,
  );
  expect(await stage.dump('big')).toMatchObject({ status: 0, stderr: '' });
  const { tables, proof } = await stage.manifestOf(keyOf('big'));
  const wanted = tables?.find(({ name }) => name === 'b')?.length ?? 0;
  const s3 = await startCountingS3(stage.s3.endpoint, BUCKET);
  const { status } = await restore(stage, 'big', 'big', ['--table', 'public.b'], {
    environment: { AWS_ENDPOINT_URL_S3: s3.endpoint },
  });
  await s3.stop();
  expect(status).toBe(0);
  const head = Math.min(...(tables ?? []).map(({ offset }) => offset ?? Infinity));
  expect(s3.sent.get(keyOf('big'))).toBeLessThan(1.5 * wanted + head);
  expect(proof.bytes).toBeGreaterThan(8 * wanted);
  expect([...s3.methods].sort()).toEqual(['GET', 'HEAD']);
});
