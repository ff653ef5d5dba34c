import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contentsOf } from '../support/contents.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { keyOf, type Outcome, type RunOptions, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
});

afterAll(async () => {
  await stage.tearDown();
});

async function dumpOf(database: string, ...statements: readonly string[]): Promise<void> {
  await stage.createDatabase(database, ...statements);
  expect(await stage.dump(database)).toMatchObject({ status: 0, stderr: '' });
}

describe('no row is lost', () => {
  test('for a tablespace that the server does not have', async () => {
    await dumpOf(
      'spaced',
      'SET allow_in_place_tablespaces = on',
      `CREATE TABLESPACE fast LOCATION ''`,
      'CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE fast) TABLESPACE fast',
      'INSERT INTO t SELECT generate_series(1, 9)',
    );
    await stage.query(
      'spaced',
      'ALTER TABLE t SET TABLESPACE pg_default',
      'ALTER INDEX t_pkey SET TABLESPACE pg_default',
    );
    await stage.query('postgres', 'DROP TABLESPACE fast');
    await stage.createDatabase('from spaced');
    const { status, stdout, stderr } = await restore(stage, 'spaced', 'from spaced');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain("Compared with the dump's table of contents, the database has 1 of 1 tables.");
    expect(await contentsOf(stage, 'from spaced')).toEqual(await contentsOf(stage, 'spaced'));
  });

  test('for a table access method that the server does not have', async () => {
    await dumpOf(
      'accessed',
      'CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler',
      'CREATE TABLE t USING pile AS SELECT generate_series(1, 9) AS a',
    );
    await stage.createDatabase('from accessed');
    await stage.query(
      'from accessed',
      `CREATE ROLE builder LOGIN PASSWORD 'x'`,
      'GRANT CREATE ON DATABASE "from accessed" TO builder',
      'GRANT CREATE ON SCHEMA public TO builder',
    );
    const secret = { username: 'builder', password: 'x' };
    const { status, stdout, stderr } = await restore(stage, 'accessed', 'from accessed', [], { secret });
    expect(stderr).toContain('permission denied to create access method "pile"');
    expect(stdout).toContain('the database has 1 of 1 tables.');
    expect(stdout).toContain('1 of 1 tables have as many rows as in the dump (9 in all).');
    expect(status).toBe(77);
    expect(await stage.query('from accessed', 'SELECT count(*)::int AS rows FROM t')).toEqual([{ rows: 9 }]);
  });
});

describe('objects are found by their names', () => {
  test('in another encoding', async () => {
    await stage.query(
      'postgres',
      `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await stage.query('latin', 'CREATE SCHEMA "Größen"', `CREATE TABLE "Größen"."Maße" AS SELECT 'groß' AS maß`);
    expect(await stage.dump('latin')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase('from latin');
    const { status, stdout, stderr } = await restore(stage, 'latin', 'from latin', ['--verify', 'content']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('the database has 1 of 1 tables.');
    expect(stdout).toContain('1 of 1 tables have the same rows as in the dump (1 in all).');
    expect(await stage.query('from latin', 'SELECT maß FROM "Größen"."Maße"')).toEqual([{ maß: 'groß' }]);
  });

  test('but rows of a table whose name is not UTF-8 are not compared', async () => {
    await stage.query(
      'postgres',
      `CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`,
      `CREATE DATABASE "from bytes" TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    await stage.query(
      'bytes',
      `SET client_encoding TO SQL_ASCII`,
      `DO $$ BEGIN EXECUTE 'CREATE TABLE "' || convert_from('\\xe4'::bytea, 'SQL_ASCII') || '" AS SELECT 1 AS one'; END $$`,
      'CREATE TABLE plain AS SELECT 1 AS one',
    );
    expect(await stage.dump('bytes')).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout, stderr } = await restore(stage, 'bytes', 'from bytes', ['--verify', 'content']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('not compared with the dump: public."\uFFFD": it has a name that is not UTF-8');
    expect(stdout).toContain('1 of 2 tables have the same rows as in the dump (1 in all).');
  });

  test('with characters that mean something to pg_restore or in SQL', async () => {
    await dumpOf(
      'odd',
      `CREATE TABLE "a ""b"" FROM stdin;\n\\." AS SELECT 1 AS "x\n FROM stdin;"`,
      'CREATE SCHEMA "a b"',
      'CREATE TABLE "a b".c ()',
      'CREATE SCHEMA a',
      'CREATE TABLE a."b c" AS SELECT 1 AS one',
    );
    await stage.createDatabase('from odd', 'CREATE SCHEMA a', 'CREATE TABLE a."b c" (one int)');
    const { status, stdout } = await restore(stage, 'odd', 'from odd', ['--into-non-empty']);
    expect(stdout).toContain('These tables exist already, and keep their own rows: a."b c"');
    expect(stdout).toContain('the database has 3 of 3 tables.');
    expect(stdout).toContain('these differ from the dump: a."b c": 1 row in the dump, 0 in the database');
    expect(status).toBe(77);
  });
});

describe('what is missing is named', () => {
  beforeAll(async () => {
    await dumpOf(
      'complete',
      'CREATE TABLE "of mine" AS SELECT 1 AS one',
      'CREATE TABLE others AS SELECT 2 AS two',
      'CREATE TABLE nothing ()',
      'CREATE VIEW seen AS SELECT * FROM others',
      'CREATE INDEX ON others (two)',
    );
  });

  test('if the server refused it', async () => {
    await stage.createDatabase('occupied', 'CREATE VIEW others AS SELECT 7 AS two', 'CREATE TABLE "of mine" (one int)');
    const { status, stdout, stderr } = await restore(stage, 'complete', 'occupied', ['--into-non-empty']);
    expect(stdout).toContain('These tables exist already, and keep their own rows: ');
    expect(stdout).toContain('the database has 2 of 3 tables, 1 of 1 views, 0 of 1 indexes.');
    expect(stdout).toContain('In the database, these are missing: table public.others, index public.others_two_idx');
    expect(stdout).toContain(
      'In the database, these differ from the dump: public."of mine": 1 row in the dump, 0 in the database\n',
    );
    expect(stderr).toContain('(the log above has all of them, and what is missing)');
    expect(status).toBe(77);
    expect(await stage.query('occupied', 'SELECT two FROM others')).toEqual([{ two: 7 }]);
  });

  /** Into a database that drops the view and keeps the table free of rows, without an error. */
  async function restoreSecretly(into: string, options?: RunOptions): Promise<Outcome> {
    await stage.createDatabase(
      into,
      'CREATE SCHEMA own',
      'CREATE FUNCTION own.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      `CREATE FUNCTION own.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
         IF to_regclass('public.others') IS NOT NULL THEN
           CREATE OR REPLACE TRIGGER none BEFORE INSERT ON public.others FOR EACH ROW EXECUTE FUNCTION own.none();
         END IF;
         DROP VIEW IF EXISTS public.seen;
       END $$`,
      `CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE VIEW')
         EXECUTE FUNCTION own.meddle()`,
    );
    return restore(stage, 'complete', into, ['--into-non-empty'], options);
  }

  test('if the server refused nothing', async () => {
    const { status, stdout, stderr } = await restoreSecretly('meddled');
    expect(stdout).toContain('the database has 3 of 3 tables, 0 of 1 views, 1 of 1 indexes.');
    expect(stdout).toContain('2 of 3 tables have as many rows as in the dump (1 in all).');
    expect(stderr).toContain('these are missing: view public.seen');
    expect(stderr).toContain('these differ from the dump: public.others: 1 row in the dump, 0 in the database');
    expect(stdout).not.toContain('Done');
    expect(status).toBe(69);
  });

  describe('by the manifest of an earlier version, in which no rows were counted', () => {
    beforeAll(async () => {
      const { largeObjects, tables, ...manifest } = await stage.manifestOf(keyOf('complete'));
      expect({ largeObjects, tables }).toMatchObject({ largeObjects: { count: 0 }, tables: [{}, {}, {}] });
      const earlier = tables?.map(({ schema, name, rows, bytes }) => ({ schema, name, rows, bytes }));
      await stage.replaceManifest(keyOf('complete'), { ...manifest, tables: earlier });
    });

    test('if a table has no row', async () => {
      const { status, stdout, stderr } = await restoreSecretly('meddled earlier');
      expect(stdout).toContain('2 of its tables were never filled, and 1 of these have rows in the dump.');
      expect(stderr).toContain('these tables have rows in the dump and none in the database: public.others');
      expect(status).toBe(69);
    });

    test('and that the rest was not compared', async () => {
      await stage.createDatabase('earlier');
      const { status, stdout } = await restore(stage, 'complete', 'earlier');
      expect(stdout).toMatch(/Done: .* Its rows were not counted, because the manifest does not say how many/);
      expect(status).toBe(0);
      const refused = await restore(stage, 'complete', 'earlier', ['--verify', 'content']);
      expect(refused.stderr).toContain('has no hashes for --verify content to compare with');
      expect(refused.status).toBe(77);
    });

    asRootOnLinux('and what could not be compared is said', async () => {
      await withSmallDisk(async (disk) => {
        const { status, stdout, stderr } = await restoreSecretly('meddled stream', { environment: { TMPDIR: disk } });
        expect(stdout).toContain('Whether the dump has some was not checked');
        expect(stderr).toContain('these are missing: view public.seen');
        expect(status).toBe(69);
      });
    });
  });
});
