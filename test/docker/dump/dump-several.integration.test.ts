import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../../support/until.ts';
import { clientFolder } from '../support/client-folder.ts';
import { keyOf, type Outcome, type RunOptions, SECRET_NAME, Stage, WHEN } from '../support/stage.ts';

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

/** With client programs that wait for a lock for a moment, and not for a minute. */
async function dumpAll(options: RunOptions = ALL): Promise<Outcome> {
  const clients = await clientFolder('exec "$PG_DUMP" "$@" --lock-wait-timeout=1');
  try {
    const environment = { ...options.environment, PATH: clients.path };
    return await stage.dump('', { ...ALL, ...options, environment });
  } finally {
    await clients.remove();
  }
}

describe('all databases of a server', () => {
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
