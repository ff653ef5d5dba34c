import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contentsOf } from '../support/contents.ts';
import { startFaultyS3 } from '../support/faulty-s3.ts';
import { pgDumpOf, processes } from '../support/processes.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { BUCKET, keyOf, type Outcome, type Running, Stage } from '../support/stage.ts';
import { restore, startRestore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('source', 'CREATE TABLE t AS SELECT 1 AS one');
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

asRootOnLinux('a restore whose disk is filled by others is worth another try', async () => {
  await stage.createDatabase('from full');
  await withSmallDisk(async (disk) => {
    const fill = (request: string) => {
      if (/^GET .*\.dmp\?/.test(request)) {
        expect(() => {
          writeFileSync(join(disk, 'of others'), Buffer.alloc(100 * 1024 * 1024));
        }).toThrow('ENOSPC');
      }
      return false;
    };
    const s3 = await startFaultyS3(stage.s3.endpoint, fill);
    const environment = { TMPDIR: disk, AWS_ENDPOINT_URL_S3: s3.endpoint };
    const { status, stdout, stderr } = await restore(stage, 'source', 'from full', [], { environment });
    expect(stderr).toContain('The storage is full');
    expect(stdout).not.toContain('is read from S3 twice');
    expect(status).toBe(75);
    await s3.stop();
  }, 80);
  expect(await stage.query('from full', 'SELECT FROM pg_class WHERE relnamespace = $$public$$::regnamespace')).toEqual(
    [],
  );
});

describe('a restore in which the server refuses statements', () => {
  test('restores the rest, reports the refused statements, and fails', async () => {
    await stage.createDatabase(
      'indexed',
      'CREATE TABLE t AS SELECT 1 AS one',
      // A restore has an empty search_path, in which it finds no table of this name.
      "CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT EXISTS (SELECT FROM t)'",
      'CREATE INDEX watched ON t (known(one))',
    );
    expect(await stage.dump('indexed')).toMatchObject({ status: 0, stderr: '' });
    await stage.query('indexed', 'DROP INDEX watched');
    await stage.createDatabase('from indexed');
    const { status, stdout, stderr } = await restore(stage, 'indexed', 'from indexed');
    expect(stderr).toMatch(/refused 1 of the statements.*relation "t" does not exist/);
    expect(stdout).toContain('CREATE INDEX watched ON public.t');
    expectToBeKept({ status, stdout, stderr });
    expect(await contentsOf(stage, 'from indexed')).toEqual(await contentsOf(stage, 'indexed'));
  });

  /** The log says so, where the statements make or fill no table. */
  function expectToBeKept({ status, stdout, stderr }: Outcome): void {
    expect(stderr).toContain('it need not be restored again: fix the cause, and run them here.');
    expect(stdout).not.toContain('drop it');
    expect(status).toBe(77);
  }

  test('shows the whole of a constraint that the source itself violates, and that the rows are there', async () => {
    await stage.createDatabase(
      'violated',
      'CREATE TABLE p (id int PRIMARY KEY)',
      'CREATE TABLE c AS SELECT 1 AS p',
      'ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID',
      'UPDATE pg_constraint SET convalidated = true',
    );
    expect(await stage.dump('violated')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('from violated');
    const outcome = await restore(stage, 'violated', 'from violated');
    expectToBeKept(outcome);
    const [, statement = ''] = /Command was: (.*;)$/m.exec(outcome.stdout) ?? [];
    expect(statement).toBe(
      'ALTER TABLE ONLY public.c | ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES public.p(id);',
    );
    await stage.query('from violated', `${statement.replace(' |', '').replace(';', '')} NOT VALID`);
  });

  test('does not have a materialized view over forced row-level security cost the rest', async () => {
    await stage.createDatabase(
      'forced',
      'CREATE TABLE t AS SELECT 1 AS one',
      'CREATE MATERIALIZED VIEW m AS SELECT * FROM t',
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE t FORCE ROW LEVEL SECURITY',
    );
    expect(await stage.dump('forced')).toMatchObject({ status: 0, stderr: '' });
    await stage.query('postgres', `CREATE ROLE owner LOGIN PASSWORD 'x'`);
    await stage.createDatabase('from forced', 'ALTER DATABASE "from forced" OWNER TO owner');
    const secret = { username: 'owner', password: 'x' };
    const outcome = await restore(stage, 'forced', 'from forced', [], { secret });
    expectToBeKept(outcome);
    expect(outcome.stdout).toContain('Command was: REFRESH MATERIALIZED VIEW public.m;');
    expect(outcome.stdout).toContain('are not populated, as they are in the dump: public.m\n');
  });

  test('advises to restore again where a table may lack rows', async () => {
    await stage.createDatabase(
      'checked',
      'CREATE TABLE known AS SELECT 1 AS one',
      "CREATE FUNCTION is_known(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM known)'",
      'CREATE TABLE t (one int CHECK (is_known(one)))',
      'INSERT INTO t VALUES (1)',
    );
    expect(await stage.dump('checked')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('from checked');
    const { status, stdout, stderr } = await restore(stage, 'checked', 'from checked');
    expect(stdout).toContain('The database contains at most a part of the dump: drop it');
    expect(stderr).toContain('Fix the cause, and restore into a new database.');
    expect(status).toBe(77);
  });

  test('names the materialized views that were not populated', async () => {
    await stage.createDatabase(
      'summed up',
      'CREATE TABLE t AS SELECT 1 AS one',
      `CREATE FUNCTION ones() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t'`,
      'CREATE MATERIALIZED VIEW sum AS SELECT ones()',
      'CREATE MATERIALIZED VIEW of_sum AS SELECT * FROM sum',
      'CREATE MATERIALIZED VIEW no_data AS SELECT * FROM t WITH NO DATA',
    );
    expect(await stage.dump('summed up')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('from summed up');
    const { status, stdout } = await restore(stage, 'summed up', 'from summed up');
    expect(stdout).toContain('the database has 1 of 1 tables, 3 of 3 materialized views.');
    expect(stdout).toContain(
      'In the database, these materialized views are not populated, as they are in the dump: public.sum, public.of_sum\n',
    );
    expect(status).toBe(77);
  });

  test('leaves existing tables unchanged with --into-non-empty', async () => {
    await stage.createDatabase('plain', 'CREATE TABLE a AS SELECT 1 AS one', 'CREATE TABLE b AS SELECT 2 AS two');
    expect(await stage.dump('plain')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('mixed', 'CREATE TABLE a AS SELECT 7 AS one');
    const { status, stdout, stderr } = await restore(stage, 'plain', 'mixed', ['--into-non-empty']);
    expect(stderr).toContain('relation "a" already exists');
    expect(stdout).toContain('In addition to its previous contents, the database contains at most a part of the dump.');
    expect(stdout + stderr).not.toContain('drop it');
    expect(status).toBe(77);
    expect(await stage.query('mixed', 'SELECT one, two FROM a, b')).toEqual([{ one: 7, two: 2 }]);
  });

  test('leaves existing sequences unchanged with --into-non-empty', async () => {
    await stage.createDatabase('numbered', 'CREATE TABLE a (id serial)', 'INSERT INTO a DEFAULT VALUES');
    expect(await stage.dump('numbered')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('counting', 'CREATE TABLE a (id serial)', `SELECT setval('a_id_seq', 70)`);
    const { status, stdout } = await restore(stage, 'numbered', 'counting', ['--into-non-empty']);
    expect(stdout).toContain('These sequences exist already, and keep their own values: public.a_id_seq');
    expect(status).toBe(77);
    expect(await stage.query('counting', `SELECT nextval('a_id_seq')::int AS next`)).toEqual([{ next: 71 }]);
  });

  test('is refused with --into-non-empty if it would overwrite large objects', async () => {
    await stage.createDatabase('of large objects', `SELECT lo_from_bytea(4711, 'of the dump')`);
    expect(await stage.dump('of large objects')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('with its own', `SELECT lo_from_bytea(4711, 'of the target')`);
    const { status, stdout, stderr } = await restore(stage, 'of large objects', 'with its own', ['--into-non-empty']);
    expect(stderr).toContain('both have large objects, and a restore would overwrite those of the same number');
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
    expect(await stage.query('with its own', `SELECT convert_from(lo_get(4711), 'UTF8') AS text`)).toEqual([
      { text: 'of the target' },
    ]);
  });
});

describe('damaged data with a manifest that was made to fit them are not blamed on the server', () => {
  beforeAll(damageNoise);

  function expectDamage({ status, stderr }: Outcome): void {
    expect(stderr).toMatch(/The dump has damaged data.*pg_restore exited with status 1.*uncompress/);
    expect(status).toBe(69);
  }

  test('that are on the disk', async () => {
    await stage.createDatabase('from noise');
    expectDamage(await restore(stage, 'noise', 'from noise'));
  });

  asRootOnLinux('that are streamed', async () => {
    await stage.createDatabase('from streamed noise');
    await withSmallDisk(async (disk) => {
      const outcome = await restore(stage, 'noise', 'from streamed noise', [], { environment: { TMPDIR: disk } });
      expect(outcome.stdout).toContain('is read from S3 twice');
      expectDamage(outcome);
    });
  });
});

async function damageNoise(): Promise<void> {
  await stage.createDatabase('noise', 'CREATE TABLE t AS SELECT md5(n::text) FROM generate_series(1, 3000) n');
  expect(await stage.dump('noise')).toMatchObject({ status: 0, stderr: '' });
  const url = `${stage.s3.endpoint}/${BUCKET}/${keyOf('noise')}`;
  const dump = Buffer.from(await (await fetch(url)).arrayBuffer());
  dump.fill('damage', dump.length - 20_000, dump.length - 19_000);
  const sha256 = createHash('sha256').update(dump).digest('hex');
  const manifest = (await (await fetch(`${url}.json`)).text()).replace(/"sha256": ?"\w+"/, `"sha256":"${sha256}"`);
  await fetch(url, { method: 'PUT', body: dump });
  await fetch(`${url}.json`, { method: 'PUT', body: manifest });
}

describe('a running restore', () => {
  beforeAll(async () => {
    // Refreshing the view waits for an advisory lock of the database.
    await stage.createDatabase(
      'slow',
      'CREATE FUNCTION wait() RETURNS int LANGUAGE sql AS $$ SELECT pg_advisory_lock_shared(77); SELECT 1 $$',
      'CREATE MATERIALIZED VIEW waits AS SELECT public.wait()',
    );
    expect(await stage.dump('slow')).toMatchObject({ status: 0, stderr: '' });
  });

  /** Interrupts a restore that is executing a statement. */
  async function whileWaiting(into: string, end: (running: Running) => Promise<void>): Promise<Outcome> {
    await stage.createDatabase(into);
    const client = await stage.connect(into);
    try {
      await client.query('SELECT pg_advisory_lock(77)');
      const running = await startRestore(stage, 'slow', into);
      await stage.untilDumpWaits(running);
      await end(running);
      return await running.outcome;
    } finally {
      await client.end();
    }
  }

  test.each([
    ['SIGTERM', 75],
    ['SIGINT', 130],
  ] as const)('is ended by %s, and reports the partial restore', async (signal, expected) => {
    const { status, stdout, stderr } = await whileWaiting(`ended by ${signal}`, (running) => {
      running.process.kill(signal);
      return Promise.resolve();
    });
    expect(stdout).toContain('The database contains at most a part of the dump');
    expect(stderr).toContain(`Ended by ${signal}`);
    expect(status).toBe(expected);
    expect(await stage.leftovers()).toEqual([]);
  });

  test('does not wait for the workers of a pg_restore that was killed', async () => {
    const { status, stderr } = await whileWaiting('killed', async (running) => {
      process.kill((await pgDumpOf(running)).pid, 'SIGKILL');
    });
    expect(stderr).toContain('pg_restore was ended by SIGKILL');
    expect(status).toBe(75);
    expect(await stage.query('killed', "SELECT query FROM pg_stat_activity WHERE wait_event = 'advisory'")).toEqual([]);
  });

  test.each([
    ['pg_restore', 'SIGTERM'],
    ['a worker', 'SIGKILL'],
    ['a worker', 'SIGTERM'],
  ] as const)('is worth another try if %s is ended by %s', async (ended, signal) => {
    const { status, stderr } = await whileWaiting(`${ended} ${signal}`, async (running) => {
      const leader = await pgDumpOf(running);
      const worker = (await processes()).find(({ parent }) => parent === leader.pid);
      process.kill(ended === 'a worker' && worker !== undefined ? worker.pid : leader.pid, signal);
    });
    expect(stderr).toContain(
      'pg_restore exited with status 1 before the end of the dump: it, or one of its workers, was',
    );
    expect(status).toBe(75);
  });

  test('is worth another try if it lost the connection to the server', async () => {
    const { status, stderr } = await whileWaiting('lost', async () => {
      await stage.query(
        'postgres',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'",
      );
    });
    expect(stderr).toContain('pg_restore lost the connection to the server');
    expect(status).toBe(75);
  });
});

test('a password in a refused statement is not shown', async () => {
  const mapping = [
    'CREATE EXTENSION postgres_fdw',
    'CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw',
    `CREATE USER MAPPING FOR mapped SERVER elsewhere OPTIONS (user 'u', password E'un''say\n"able')`,
  ];
  await stage.query('postgres', 'CREATE ROLE mapped');
  await stage.createDatabase('foreign', ...mapping);
  expect(await stage.dump('foreign')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('mapped already', ...mapping);
  const { status, stdout, stderr } = await restore(stage, 'foreign', 'mapped already', ['--into-non-empty']);
  expect(stdout).toContain('Command was: CREATE USER MAPPING FOR mapped SERVER elsewhere');
  expect(stderr).toContain('already exists');
  expect(stdout + stderr).not.toMatch(/say|able'/);
  expect(status).toBe(77);
});
