import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clientFolder } from '../support/client-folder.ts';
import { rowsOf } from '../support/findings-table.ts';
import { keyOf, type Outcome, type Running, Stage } from '../support/stage.ts';

/** The server guarantees room for 10 * 15 locks, and has some more. */
const SETTINGS = ['max_locks_per_transaction=10', 'max_connections=15', 'autovacuum_max_workers=1'];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp(...SETTINGS);
  await stage.createDatabase(
    'app',
    'CREATE TABLE held (id bigserial)',
    'CREATE TABLE other ()',
    'CREATE TABLE secured ()',
    'ALTER TABLE secured ENABLE ROW LEVEL SECURITY',
    "CREATE ROLE stranger LOGIN PASSWORD 'p'",
    "CREATE ROLE filtered LOGIN PASSWORD 'p' IN ROLE pg_read_all_data",
  );
});

afterAll(async () => {
  await stage.tearDown();
});

interface Conditions {
  readonly database?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly options?: string;
  /** In kilobytes. */
  readonly memory?: number;
}

/** Starts a dump in which only pg_dump gets these variables, options and memory; the checks before it do not. */
async function start(
  { database = 'app', variables = {}, options = '', memory }: Conditions,
  work?: (running: Running) => Promise<void>,
): Promise<Outcome> {
  const assignments = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  const limits = memory === undefined ? [] : [`ulimit -v ${memory}`];
  const script = [...assignments, ...limits, `exec "$PG_DUMP" "$@" ${options}`];
  const clients = await clientFolder(script.join('\n'));
  const environment = { PATH: clients.path };
  try {
    if (work === undefined) {
      return await stage.dump(database, { environment });
    }
    const running = await stage.start(database, { environment });
    await work(running);
    return await running.outcome;
  } finally {
    await clients.remove();
  }
}

function expectFailure({ status, stderr }: Outcome, expected: number, ...words: readonly string[]): void {
  expect({ status, stderr }).toEqual({ status: expected, stderr: expect.stringContaining(words[0] ?? '') });
  for (const each of words) {
    expect(stderr).toContain(each);
  }
}

test('a full table of locks is refused, and the check warns of it', async () => {
  await stage.createDatabase(
    'wide',
    `DO $$ BEGIN FOR i IN 1..100 LOOP
       FOR j IN 1..50 LOOP EXECUTE format('CREATE TABLE t_%s_%s ()', i, j); END LOOP; COMMIT;
     END LOOP; END $$`,
  );
  const checked = await stage.check('wide');
  expect(checked.status).toBe(0);
  expect(rowsOf(checked)['Table locks']).toEqual([
    'warning',
    expect.stringMatching(/locks 5000 tables and sequences.* room for 150 locks.* to 344 or more, and restart/),
  ]);
  const dumped = await stage.dump('wide');
  expectFailure(dumped, 77, "The server's table of locks is full", 'out of shared memory');
  expect(dumped.stdout).toContain('Warning: Table locks: a dump locks 5000 tables');
});

test('a table of locks with enough room is no warning', async () => {
  expect(rowsOf(await stage.check('app'))['Table locks']).toEqual(['ok', expect.stringMatching(/^4 tables .* 150 /)]);
});

test.each([
  ['stranger', 'permission denied for'],
  ['filtered', 'row-level security'],
])('a missing privilege is refused: %s', async (user, says) => {
  const outcome = await start({ variables: { PGUSER: user, PGPASSWORD: 'p' } });
  expectFailure(outcome, 77, 'The user lacks a privilege', says);
});

test.each([
  ['a password that has just changed', { PGPASSWORD: 'old' }, 'password authentication failed'],
  ['a database that was just renamed', { PGDATABASE: 'gone' }, 'does not exist'],
  ['a server that has just gone', { PGPORT: '1' }, 'Connection refused'],
  ['a name that has just gone', { PGHOST: 'db.invalid' }, 'could not translate host name'],
])('%s is worth another try', async (_, variables, says) => {
  expectFailure(await start({ variables }), 75, 'although the checks could log in', says);
});

test('a lock that is not granted is worth another try', async () => {
  await stage.whileLocked('app', 'held', async () => {
    const outcome = await start({ options: '--lock-wait-timeout=1' });
    expectFailure(outcome, 75, 'A table could not be locked', 'statement timeout');
  });
});

test('a query that someone cancels is worth another try', async () => {
  await stage.whileLocked('app', 'held', async () => {
    const outcome = await start({}, async (running) => {
      await stage.untilDumpWaits(running);
      await stage.query(
        'postgres',
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'autodump'",
      );
    });
    expectFailure(outcome, 75, 'Someone canceled the query');
  });
});

test('a table that is dropped meanwhile is worth another try', async () => {
  await stage.query('app', 'CREATE TABLE dropped ()');
  const client = await stage.connect('app');
  await client.query('BEGIN');
  await client.query('DROP TABLE dropped');
  const outcome = await start({}, async (running) => {
    await stage.untilDumpWaits(running);
    await client.query('COMMIT');
  });
  await client.end();
  expectFailure(outcome, 75, 'DDL in another session interfered', 'does not exist');
});

test.each([
  ['DROP SCHEMA s CASCADE', 'CREATE SCHEMA s CREATE TABLE t ()', 'schema "s" does not exist'],
  ['DROP FUNCTION f', `CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`, ': function public.f.'],
  ['ALTER TYPE of_t RENAME TO new', `CREATE TYPE of_t AS ENUM ('a')`, ': type public.of_t.'],
  ['ALTER DOMAIN list RENAME TO lists', 'CREATE DOMAIN list AS int[]', ': type public.list.'],
  ['ALTER INDEX i RENAME TO j', 'CREATE TABLE indexed (a int); CREATE INDEX i ON indexed (a)', ': index public.i.'],
  [
    'ALTER STATISTICS paired RENAME TO pairs',
    'CREATE TABLE described (a int, b int); CREATE STATISTICS paired ON a, b FROM described',
    ': statistics object public.paired.',
  ],
  ['ALTER VIEW v RENAME TO w', 'CREATE VIEW v AS SELECT 1', ': view public.v.'],
])('%s in another session meanwhile is worth another try', async (change, create, says) => {
  await stage.query('app', create);
  await stage.whileLocked('app', 'held', async (release) => {
    const outcome = await start({}, async (running) => {
      await stage.untilDumpWaits(running);
      await stage.query('app', change);
      await release();
    });
    expectFailure(outcome, 75, 'DDL in another session interfered', says);
  });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
});

test('a deadlock is worth another try', async () => {
  const client = await stage.connect('app');
  // So that the dump is the one that is canceled.
  await client.query("SET deadlock_timeout = '1h'");
  await client.query('BEGIN');
  await client.query('LOCK TABLE other IN ACCESS EXCLUSIVE MODE');
  const outcome = await start({ variables: { PGOPTIONS: '-c deadlock_timeout=3s' } }, async (running) => {
    await stage.untilDumpWaits(running);
    await client.query('LOCK TABLE held IN ACCESS EXCLUSIVE MODE');
  });
  await client.end();
  expectFailure(outcome, 75, 'DDL in another session interfered', 'deadlock detected');
});

test('names that look like messages mislead nobody', async () => {
  const name = 'FATAL: permission denied max_locks_per_transaction';
  await stage.query('app', `CREATE TABLE "${name}" ()`);
  await stage.whileLocked('app', `"${name}"`, async () => {
    const outcome = await start({ options: '--lock-wait-timeout=1' });
    expectFailure(outcome, 75, 'A table could not be locked', name);
  });
  await stage.query('app', `DROP TABLE "${name}"`);
});

test('a table whose file is missing on the server is refused as damaged', async () => {
  await stage.createDatabase('damaged', 'CREATE TABLE lost AS SELECT 1 AS i', 'CHECKPOINT');
  const [row] = await stage.query('damaged', "SELECT pg_relation_filepath('lost') AS file");
  // No rows: a program that reads none must not be sent any, or the server reports a broken pipe if it has ended by
  // then.
  await stage.query('damaged', `COPY (SELECT WHERE false) TO PROGRAM 'rm ${String(row?.file)}'`);
  expectFailure(await stage.dump('damaged'), 77, 'damaged on the server', 'contents of table "lost" failed');
});

test('a row that does not fit into the memory of pg_dump or, as text, into a gigabyte is reported as such', async () => {
  await stage.createDatabase(
    'big',
    'CREATE UNLOGGED TABLE big (value bytea)',
    'CREATE UNLOGGED TABLE huge (value bytea)',
    // Compressing them takes longer.
    'ALTER TABLE big ALTER value SET STORAGE EXTERNAL',
    'ALTER TABLE huge ALTER value SET STORAGE EXTERNAL',
    // To repeat a single character, and to parse bytea, takes ten times as long.
    `INSERT INTO big SELECT convert_to(repeat(repeat('x', 1024 * 1024), 60), 'UTF8')`,
    `INSERT INTO huge SELECT convert_to(repeat(repeat('x', 1024 * 1024), 520), 'UTF8')`,
  );
  const limited = await start({ database: 'big', memory: 150_000 });
  expectFailure(limited, 75, 'pg_dump ran out of memory on this machine', 'jobMemoryMiB');
  // With zstd, the compression runs out of it first.
  expect(limited.stderr).toMatch(/COPY public\.big|could not compress data/);
  expectFailure(await stage.dump('big'), 77, 'limited to 1 GB', 'octet_length()', 'contents of table "huge" failed');
  await stage.query('postgres', 'DROP DATABASE big');
});
