import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Outcome, type RunOptions, Stage } from '../../support/stage.ts';
import { restore as runRestore, startRestore } from '../../support/start-restore.ts';

let stage: Stage;

/** A user that owns the databases and nothing else. */
const secret = { username: 'owner', password: 'x' };

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query('postgres', `CREATE ROLE owner LOGIN PASSWORD 'x'`);
  // Every worker has something to do, and then waits for the slow table, before there is something for all of them
  // again.
  await stage.createDatabase(
    'source',
    ...Array.from({ length: 8 }, (_, i) => `CREATE TABLE t${i} AS SELECT i FROM generate_series(1, 1000) i`),
    `CREATE FUNCTION takes_long(int) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN PERFORM pg_advisory_lock_shared(77), pg_sleep(0.5); RETURN true; END $$`,
    'CREATE TABLE slow (i int CHECK (public.takes_long(i)))',
    'INSERT INTO slow VALUES (1)',
    ...Array.from({ length: 4 }, () => 'CREATE INDEX ON slow (i)'),
  );
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

async function createTarget(name: string): Promise<void> {
  await stage.createDatabase(name);
  await stage.query('postgres', `ALTER DATABASE "${name}" OWNER TO owner`);
}

async function restore(into: string, options?: RunOptions): Promise<Outcome> {
  return runRestore(stage, 'source', into, [], { secret, ...options });
}

describe('a limit on connections that is below the number of jobs', () => {
  test.each([
    ['the user "owner"', 'ALTER ROLE owner', 5, 'uses 3 jobs instead of 4.'],
    ['the user "owner"', 'ALTER ROLE owner', 3, 'uses 1 job instead of 4.'],
    ['the user "owner"', 'ALTER ROLE owner', 2, 'uses 1 job instead of 4 and shows no progress.'],
    ['the database "%"', 'ALTER DATABASE "%"', 4, 'uses 2 jobs instead of 4.'],
  ])('of %s (%s CONNECTION LIMIT %d) leads to fewer jobs', async (of, statement, limit, jobs) => {
    const into = `limit ${limit}`;
    await createTarget(into);
    await stage.query('postgres', `${statement.replace('%', into)} CONNECTION LIMIT ${limit}`);
    const { status, stdout, stderr } = await restore(into);
    await stage.query('postgres', `${statement.replace('%', into)} CONNECTION LIMIT -1`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(
      `Note: ${of.replace('%', into)} may have ${limit} connections, of which 0 are in use, so this restore ${jobs}`,
    );
    expect(stdout.includes('Restoring:')).toBe(limit > 2);
  });

  test('is refused before the download if it leaves too few', async () => {
    await createTarget('single');
    await stage.query('postgres', 'ALTER DATABASE single CONNECTION LIMIT 1');
    const { status, stdout, stderr } = await restore('single');
    expect(stderr).toContain(
      'needs at least 2 connections, and the database "single" may have 1, of which 0 are in use',
    );
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
  });

  test('is worth another try if others use them', async () => {
    await createTarget('crowded');
    await stage.query('postgres', 'ALTER DATABASE crowded CONNECTION LIMIT 3');
    const others = await Promise.all([stage.connect('crowded'), stage.connect('crowded')]);
    const { status, stderr } = await restore('crowded');
    await Promise.all(others.map((client) => client.end()));
    expect(stderr).toContain('may have 3, of which 2 are in use');
    expect(status).toBe(75);
  });

  test('is not known from a server that shows no sessions, and the restore runs all the same', async () => {
    await createTarget('discreet');
    await stage.query('discreet', 'REVOKE SELECT ON pg_stat_activity FROM PUBLIC');
    const { status, stdout, stderr } = await restore('discreet');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Note: not checked: limits on connections: permission denied for view pg_stat_activity');
  });

  test('does not apply to a superuser', async () => {
    await createTarget('unlimited');
    await stage.query('postgres', 'ALTER DATABASE unlimited CONNECTION LIMIT 1');
    const { status, stdout } = await restore('unlimited', { secret: {} });
    expect(stdout).not.toContain('connections, of which');
    expect(status).toBe(0);
  });
});

test('timeouts of the user do not end a restore', async () => {
  const timeouts = ['idle_in_transaction_session_timeout', 'idle_session_timeout', 'lock_timeout', 'statement_timeout'];
  await createTarget('hurried');
  await stage.query('postgres', ...timeouts.map((name) => `ALTER ROLE owner SET ${name} = '200ms'`));
  const { status, stdout, stderr } = await restore('hurried');
  await stage.query('postgres', 'ALTER ROLE owner RESET ALL');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`Note: the restore sets ${timeouts.join(', ')} to 0 in its own sessions.`);
});

test('settings of the user by which the server would misread a dump do not do so', async () => {
  await stage.createDatabase('arrays', `CREATE TABLE t AS SELECT '{a,NULL}'::text[] AS a`);
  expect(await stage.dump('arrays')).toMatchObject({ status: 0, stderr: '' });
  await createTarget('from arrays');
  await stage.query('postgres', 'ALTER ROLE owner SET array_nulls = off');
  const { status, stdout, stderr } = await runRestore(stage, 'arrays', 'from arrays', [], { secret });
  await stage.query('postgres', 'ALTER ROLE owner RESET ALL');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('Note: the restore sets array_nulls to on in its own sessions.');
  expect(await stage.query('from arrays', 'SELECT a[2] IS NULL AS kept FROM t')).toEqual([{ kept: true }]);
});

test('debug messages that a setting of the user asks for are taken for no refusal', async () => {
  await stage.createDatabase('granted', 'CREATE TABLE t ()', 'GRANT SELECT ON t TO PUBLIC');
  expect(await stage.dump('granted')).toMatchObject({ status: 0, stderr: '' });
  await createTarget('from granted');
  // If a session begins with options, such messages come before pg_restore can set what it wants to see.
  await stage.query(
    'postgres',
    'ALTER ROLE owner SET client_min_messages = debug5',
    'ALTER ROLE owner SET array_nulls = off',
  );
  const { status, stdout, stderr } = await runRestore(stage, 'granted', 'from granted', [], { secret });
  await stage.query('postgres', 'ALTER ROLE owner RESET ALL');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toContain('not restored');
});

test("the server's reason for refusing a connection is part of the message", async () => {
  await createTarget('refusing');
  const client = await stage.connect('refusing');
  await client.query('SELECT pg_advisory_lock(77)');
  const running = await startRestore(stage, 'source', 'refusing', [], { secret });
  await stage.untilDumpWaits(running);
  // For the connection after the parallel ones.
  await stage.query('postgres', 'ALTER ROLE owner CONNECTION LIMIT 0');
  await client.end();
  const { status, stderr } = await running.outcome;
  await stage.query('postgres', 'ALTER ROLE owner CONNECTION LIMIT -1');
  expect(stderr).toMatch(
    /Its first error about the connection: .*connection to server at "127\.0\.0\.1", port \d+ failed: FATAL: {2}too many connections for role "owner"/,
  );
  expect(status).toBe(75);
});

test('a table of locks that a statement of the dump fills is named by its setting', async () => {
  await stage.createDatabase(
    'locking',
    `CREATE FUNCTION locks() RETURNS bigint LANGUAGE sql AS $$
       SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 200000) i WHERE current_database() = 'from locking' $$`,
    'CREATE MATERIALIZED VIEW m AS SELECT locks()',
  );
  expect(await stage.dump('locking')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('from locking');
  const { status, stdout, stderr } = await runRestore(stage, 'locking', 'from locking');
  expect(status).toBe(77);
  for (const output of [stdout, stderr]) {
    expect(output).toContain(
      'ERROR:  out of shared memory (raise max_locks_per_transaction) | Command was: REFRESH MATERIALIZED VIEW public.m;',
    );
  }
});
