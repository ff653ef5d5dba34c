import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { completenessBy } from '../../../lambda/core/freshness/completeness.ts';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import { startPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { clientFolder } from '../support/client-folder.ts';
import { retentionOf } from '../support/retention.ts';
import { BUCKET, keyOf, type Outcome, type RunOptions, SECRET_NAME, Stage, WHEN } from '../support/stage.ts';

const execute = promisify(execFile);

const DUMPER = { username: 'dumper', password: 'dumper' };

const ALL: RunOptions = { secret: { ...DUMPER, dbname: '*' } };

const GLOBALS = keyOf('globals').replace(/dmp$/, 'sql');

/** With the database `postgres` and those that the tests add: 40. */
const NAMES = Array.from({ length: 34 }, (_, index) => `db${index}`).concat('globals', 'A', 'a', 'odd / "name"');

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query('postgres', "CREATE ROLE dumper LOGIN PASSWORD 'dumper'");
  for (const name of NAMES) {
    await stage.createDatabase(name, 'CREATE TABLE t AS SELECT 1 AS i', 'GRANT SELECT ON t TO dumper');
  }
  await stage.query('db7', 'CREATE TABLE noise AS SELECT generate_series(1, 20000)', 'GRANT SELECT ON noise TO dumper');
  await stage.query('postgres', 'CREATE DATABASE template IS_TEMPLATE true', 'CREATE DATABASE closed');
  await stage.query('postgres', 'REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
});

afterAll(async () => {
  await stage.tearDown();
});

/** The objects of the secret, by their names. */
async function objects(): Promise<readonly string[]> {
  return (await readdir(join(stage.fileOf(SECRET_NAME)))).sort();
}

async function dumps(when = WHEN): Promise<readonly string[]> {
  const end = keyOf('', when).slice(SECRET_NAME.length + 1);
  return (await objects()).filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
}

/** With client programs that wait for a lock for a second, and not for a minute: time enough for one that is free. */
async function dumpAll(options: RunOptions = ALL): Promise<Outcome> {
  const clients = await clientFolder('exec "$PG_DUMP" "$@" --lock-wait-timeout=1000');
  try {
    const environment = { ...options.environment, PATH: clients.path };
    return await stage.dump('', { ...ALL, ...options, environment });
  } finally {
    await clients.remove();
  }
}

describe('all databases of a server', () => {
  afterAll(async () => {
    // The other tests need only a few.
    const few = ['db3', 'db5', 'db7', 'globals', 'A', 'a', 'odd / "name"'];
    const others = NAMES.filter((name) => !few.includes(name));
    await stage.query('postgres', ...others.map((name) => `DROP DATABASE ${name}`));
  });

  test('of which one is locked, one is not readable and one is created meanwhile', async () => {
    await stage.query('db3', 'CREATE TABLE hidden ()');
    await stage.whileLocked('db5', 't', async () => {
      const run = dumpAll();
      await until(() => stage.hasObject(keyOf('db7')));
      await stage.createDatabase('created', 'CREATE TABLE t AS SELECT 1 AS i', 'GRANT SELECT ON t TO dumper');
      const { status, stdout, stderr } = await run;
      expect(status).toBe(75);
      expect(stderr).toMatch(
        /^AutoDump failed: temporary failure \(exit status 75\): 38 of 40 databases are dumped\. Failed: \(1\) "db\d": .* \(2\) "db\d": /,
      );
      expect(stderr).toMatch(/"db3": refused \(exit status 77\): The user dumper may not read public\.hidden/);
      expect(stderr).toMatch(/"db5": temporary failure \(exit status 75\): A table could not be locked/);
      expect(stdout).toMatch(/\nDatabase 1 of 39: "db7"\n/);
      expect(stdout).toContain('Left out: "closed": the user may not connect to it\n');
    });
    const made = ['postgres', 'created', ...NAMES.filter((name) => name !== 'db3' && name !== 'db5')];
    const inKeys = made.map((name) => name.replace('/', '%2F')).sort();
    expect(await dumps()).toEqual(inKeys);
    expect(await objects()).toHaveLength(2 * 38 + 1);
    expect(await stage.manifestOf(keyOf('A'))).toMatchObject({
      source: { database: 'A' },
      tables: [{ name: 't', provenRows: 1 }],
      run: {
        databases: expect.arrayContaining([{ database: 'db5', key: keyOf('db5') }]),
        leftOut: [{ database: 'closed', reason: 'the user may not connect to it' }],
        globals: { key: GLOBALS, bytes: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
  });

  test('Freshness knows by the manifest that was written last which ones are missing', async () => {
    const manifest = await readFile(`${stage.fileOf(keyOf('created'))}.json`, 'utf8');
    const keys = new Set((await objects()).map((name) => `${SECRET_NAME}/${name}`));
    const completeness = completenessBy(manifest, keys);
    expect(completeness).toMatchObject({ dumped: 38, expected: 40 });
    expect(completeness).toHaveProperty('missing', expect.arrayContaining(['db3', 'db5']));
  });

  test('a retry makes those that are missing, and no dump twice', async () => {
    const before = await Promise.all((await objects()).map((name) => readFile(stage.fileOf(`${SECRET_NAME}/${name}`))));
    const names = await objects();
    await stage.query('db3', 'GRANT SELECT ON hidden TO dumper');
    const { status, stdout, stderr } = await dumpAll();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Done: 40 of 40 databases are dumped.\n');
    expect(await dumps()).toHaveLength(40);
    const after = await Promise.all(names.map((name) => readFile(stage.fileOf(`${SECRET_NAME}/${name}`))));
    expect(after.map((bytes, index) => before[index]?.equals(bytes))).toEqual(names.map(() => true));
    expect(await stage.manifestOf(keyOf('db3'))).toMatchObject({ run: { globals: { key: GLOBALS, bytes: null } } });
  });
});

describe('the roles of the server', () => {
  const ROLES = `
    SELECT rolname, rolinherit, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit,
      rolvaliduntil::text, rolconfig, shobj_description(oid, 'pg_authid') AS comment,
      ARRAY(SELECT (pg_get_userbyid(roleid), admin_option)::text FROM pg_auth_members WHERE member = r.oid ORDER BY 1)
    FROM pg_roles r WHERE rolname !~ '^(pg_|rds)' ORDER BY 1`;

  test('are made on a new server by psql, without passwords', async () => {
    await stage.query(
      'postgres',
      `CREATE ROLE "o'dd "" \\ :name;\n--" NOINHERIT CONNECTION LIMIT 3 VALID UNTIL '2030-01-01 00:00:00+00'`,
      `COMMENT ON ROLE "o'dd "" \\ :name;\n--" IS 'it''s \\ a\n\\! id :dumper'`,
      'CREATE ROLE boss CREATEDB CREATEROLE BYPASSRLS REPLICATION',
      'ALTER ROLE boss SET search_path TO "$user", "a;b"',
      "ALTER ROLE dumper SET app.key TO 'hidden'",
      `GRANT boss, pg_read_all_data TO "o'dd "" \\ :name;\n--" WITH ADMIN OPTION`,
      'CREATE ROLE rds_superuser',
      'CREATE ROLE rdsadmin SUPERUSER',
      'GRANT rds_superuser TO boss',
    );
    const secret = { dbname: '*', retentiondays: 7 };
    await stage.dump('', { secret, environment: { AUTODUMP_WHEN: '2026-11-23T08:00:00Z' } });
    const file = stage.fileOf(keyOf('globals', '2026-11-23T08:00:00Z').replace(/dmp$/, 'sql'));
    const script = await readFile(file, 'utf8');
    const { run } = await stage.manifestOf(keyOf('A', '2026-11-23T08:00:00Z'));
    expect(run?.globals?.sha256).toBe(createHash('sha256').update(script).digest('hex'));
    // The roles expire with the dumps.
    for (const key of [
      keyOf('A', '2026-11-23T08:00:00Z'),
      keyOf('globals', '2026-11-23T08:00:00Z').replace(/dmp$/, 'sql'),
    ]) {
      expect(await retentionOf(stage, key)).toBe('7');
    }
    expect(script).not.toMatch(/SCRAM|md5|hidden/);
    expect(script).toContain('-- GRANT "rds_superuser" TO "boss";\n');
    expect(script).toContain(
      '-- ALTER ROLE "dumper" LOGIN PASSWORD \'…\';\n-- ALTER ROLE "dumper" SET "app"."key" TO …;',
    );
    await onNewServer(async (server) => {
      const { host, port, user, password } = server;
      const env = { PATH: process.env.PATH, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
      const psql = ['--no-psqlrc', '--set=ON_ERROR_STOP=1', '--dbname=postgres', `--file=${file}`];
      expect((await execute('psql', psql, { env })).stderr).toBe('');
      const client = new pg.Client({ host, port, user, password, database: 'postgres' });
      await client.connect();
      const made = await client.query(ROLES);
      await client.end();
      await stage.query('postgres', 'ALTER ROLE dumper RESET app.key', 'REVOKE rds_superuser FROM boss');
      expect(made.rows).toEqual(await stage.query('postgres', ROLES));
    });
  });

  async function onNewServer(work: (server: PostgresServer) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    await chmod(folder, 0o755);
    const server = await startPostgres(join(folder, 'postgres'));
    try {
      await work(server);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
  }
});

describe('the databases of a run', () => {
  const later = { AUTODUMP_WHEN: '2026-11-24T08:00:00Z' };

  test('are those that the server has: what has a dump of the run before and is gone is said', async () => {
    await stage.query('postgres', 'DROP DATABASE created');
    const { status, stdout } = await dumpAll({ environment: later });
    expect(status).toBe(0);
    const gone = `s3://${BUCKET}/${keyOf('created', '2026-11-23T08:00:00Z')}`;
    expect(stdout.match(/Note: the server no longer has .*/g)).toEqual([
      `Note: the server no longer has the database that was dumped to ${gone}.`,
    ]);
    expect(stdout).toContain('Done: 8 of 8 databases are dumped.\n');
    const next = await dumpAll({ environment: { AUTODUMP_WHEN: '2026-11-25T08:00:00Z' } });
    expect(next.stdout).not.toContain('the server no longer has');
  });

  test('may be dropped before their turn comes', async () => {
    await stage.createDatabase('brief', 'CREATE TABLE t ()', 'GRANT SELECT ON t TO dumper');
    await stage.whileLocked('db7', 't', async (release) => {
      const running = await stage.start('', { ...ALL, environment: { AUTODUMP_WHEN: '2026-11-26T08:00:00Z' } });
      await stage.untilDumpWaits(running);
      await stage.query('postgres', 'DROP DATABASE brief');
      await release();
      const { status, stdout, stderr } = await running.outcome;
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('Note: "brief" was dropped in the meantime.\n');
      expect(stdout).toContain('Done: 8 of 8 databases are dumped.\n');
    });
  });

  test('may be a list, of which those that cannot be dumped are problems', async () => {
    const secret = { ...DUMPER, dbname: undefined, databasename: ['none', 'closed', 'a', 'db7'] };
    const environment = { AUTODUMP_WHEN: '2026-11-27T08:00:00Z' };
    const { status, stdout, stderr } = await stage.dump('', { secret, environment });
    expect(status).toBe(77);
    expect(stderr).toMatch(
      /^AutoDump failed: refused \(exit status 77\): 2 of 4 databases are dumped\. Failed: \(1\) "closed": refused .* The user lacks a privilege.* \(2\) "none": refused .* There is no such database/,
    );
    expect(stdout).toMatch(/Database 1 of 4: "db7"\n[^]*Database 2 of 4: "a"\n/);
    expect(await dumps(environment.AUTODUMP_WHEN)).toEqual(['a', 'db7']);
    const { run } = await stage.manifestOf(keyOf('a', environment.AUTODUMP_WHEN));
    expect(run).toMatchObject({ leftOut: [], globals: null });
  });

  test('cannot be asked for if the server is out of reach: that is one failure', async () => {
    const { status, stderr } = await stage.dump('', { secret: { ...DUMPER, dbname: '*', port: 1 } });
    expect(status).toBe(75);
    expect(stderr).toMatch(
      /^AutoDump failed: temporary failure \(exit status 75\): \S+ port 1 cannot be reached: [^()]*$/,
    );
  });

  test('may have their password changed since the secret was read', async () => {
    const environment = { AUTODUMP_WHEN: '2026-11-28T08:00:00Z' };
    const firstSecret = { password: 'old' };
    const { status } = await stage.dump('', { ...ALL, firstSecret, environment });
    expect(status).toBe(0);
    expect(await dumps(environment.AUTODUMP_WHEN)).toHaveLength(8);
  });
});

describe('the check of several databases', () => {
  test('is one table, which names each', async () => {
    await stage.query('db3', 'REVOKE SELECT ON hidden FROM dumper');
    const { status, stdout, stderr } = await stage.check('', ALL);
    expect(status).toBe(77);
    expect(stderr).toMatch(/^AutoDump failed: refused \(exit status 77\): The user dumper may not read public\.hidden/);
    expect(stdout).toMatch(/^Databases +warning +8 to dump; left out: "closed" \(the user may not connect to it\)$/m);
    expect(stdout).toMatch(/^"db5" +ok +\d+ checks: a dump can start$/m);
    expect(stdout).not.toMatch(/^"db3" +ok/m);
    expect(stdout).toMatch(/^"db3" Tables, sequences +problem +The user dumper may not read public\.hidden/m);
    expect(stdout).toMatch(/^-- In the database "db3":\n-- All tables/m);
  });

  test('names those of a list that there are not, or that the user may not connect to, as problems', async () => {
    const secret = { ...DUMPER, dbname: undefined, databasename: ['none', 'closed', 'a'] };
    const { status, stdout } = await stage.check('', { secret });
    expect(status).toBe(77);
    expect(stdout).toMatch(/^"a" +ok +\d+ checks: a dump can start$/m);
    expect(stdout).toMatch(/^"closed" \w+ +problem .*"closed"/m);
    expect(stdout).toMatch(/^"none" Database +problem .*There is no such database/m);
  });

  test('says which step fails if the server is out of reach', async () => {
    const { status, stdout } = await stage.check('', { secret: { ...DUMPER, dbname: '*', port: 1 } });
    expect(status).toBe(75);
    expect(stdout).toMatch(/^Port +problem /m);
    expect(stdout).toMatch(/^Databases +unchecked /m);
  });
});
