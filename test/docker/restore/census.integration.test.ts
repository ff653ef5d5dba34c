import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { Manifest } from '../../../docker/dump/manifest.ts';
import type { CensusComparison } from '../../../docker/restore/census/compare-with-census.ts';
import type { Verification } from '../../../docker/restore/census/count-rows.ts';
import type { ExpectedCensus } from '../../../docker/restore/census/expected-census.ts';
import { comparedAfter } from '../support/after-changes.ts';
import { COUNTED_CONTENTS, SETTINGS } from '../support/census-contents.ts';
import { computed, SESSION } from '../support/computed.ts';
import { expectedOf } from '../support/expected-of.ts';
import { hashed } from '../support/hashed.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { keyOf, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;
let manifest: Manifest;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...COUNTED_CONTENTS);
  for (const [name, value] of Object.entries(SETTINGS)) {
    await stage.query('postgres', `ALTER DATABASE app SET ${name} TO '${value}'`);
  }
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
  manifest = await stage.manifestOf(keyOf('app'));
});

afterAll(async () => {
  await stage.tearDown();
});

describe('the manifest', () => {
  test('has rows and hash of each table, which anybody can compute again', async () => {
    const client = await stage.connect('app');
    await client.query(SESSION);
    const { rows } = await client.query<{ schema: string; name: string; source: string }>(
      `SELECT nspname AS schema, relname AS name, CASE relname
         WHEN 'configured' THEN '(SELECT * FROM public.configured WHERE NOT own)'
         WHEN 'ids' THEN 'public.ids (id, b)' ELSE format('%I.%I', nspname, relname) END AS source
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2`,
    );
    const expected = [];
    for (const { schema, name, source } of rows) {
      expected.push({ schema, name, ...(await computed(client, source)) });
    }
    await client.end();
    expect(manifest.tables).toMatchObject(expected);
    expect(manifest.tables).toHaveLength(expected.length);
    expect(manifest.source.textSettings).toEqual({ bytea_output: 'escape', quote_all_identifiers: 'off' });
  });

  test('has number, bytes and hash of the large objects', async () => {
    const client = await stage.connect('app');
    const { rows: objects } = await client.query<{ content: Buffer; number: Buffer }>(
      `SELECT lo_get(oid) AS content, decode(lpad(to_hex(oid::bigint), 8, '0'), 'hex') AS number
       FROM pg_largeobject_metadata`,
    );
    await client.end();
    expect(manifest.largeObjects).toEqual({
      count: 3,
      bytes: objects.reduce((sum, { content }) => sum + content.length, 0),
      contentHash: hashed(objects.map(({ number, content }) => Buffer.concat([number, content]))).hash,
    });
  });

  /** The blocks follow one another from the head to the end of the object. */
  async function expectBlocks(key: string, ofLargeObjects: number): Promise<void> {
    const object = await readFile(stage.fileOf(key));
    const { tables } = await stage.manifestOf(key);
    const blocks = (tables ?? []).map(({ offset, length }) => ({ offset: offset ?? 0, length: length ?? 0 }));
    blocks.sort((one, other) => one.offset - other.offset);
    const starts = blocks.slice(1).map(({ offset }) => offset);
    expect(blocks.slice(0, -1).map(({ offset, length }) => offset + length)).toEqual(starts);
    expect(blocks.map(({ offset }) => object.readUInt8(offset))).toEqual(blocks.map(() => 1));
    const { offset = 0, length = 0 } = blocks.at(-1) ?? {};
    expect(object.readUInt8(offset + length)).toBe(ofLargeObjects);
  }

  test('has where the data of each table begin and end', async () => {
    await expectBlocks(keyOf('app'), 3);
  });

  asRootOnLinux('is the same for a streamed dump', async () => {
    await withSmallDisk(async (disk) => {
      const when = '2026-11-23T08:00:00Z';
      expect(await stage.dump('app', { environment: { AUTODUMP_WHEN: when, TMPDIR: disk } })).toMatchObject({
        status: 0,
      });
      const { dump, tables, largeObjects } = await stage.manifestOf(keyOf('app', when));
      expect(dump.way).toBe('stream');
      const counted = (all: Manifest['tables']) => all?.map((table) => ({ ...table, offset: 0 }));
      expect(counted(tables)).toEqual(counted(manifest.tables));
      expect(largeObjects).toEqual(manifest.largeObjects);
      await expectBlocks(keyOf('app', when), 3);
    });
  });
});

describe('a database is compared with the census', () => {
  let census: ExpectedCensus;
  let client: pg.Client;

  beforeAll(async () => {
    ({ census } = await expectedOf(stage, 'app'));
    client = await stage.connect('app');
  });

  afterAll(async () => {
    await client.end();
  });

  async function differencesAfter(
    verification: Verification,
    ...statements: readonly string[]
  ): Promise<Omit<CensusComparison, 'differences'> & { readonly differences: readonly string[] }> {
    const { compared } = await comparedAfter(client, census, verification, statements);
    return { ...compared, differences: compared.differences.map(({ text }) => text) };
  }

  test.each(['rows', 'content'] as const)('and is equal in its %s', async (verification) => {
    const { differences, hidden, ...numbers } = await differencesAfter(verification);
    expect({ differences, hidden }).toEqual({ differences: [], hidden: [] });
    expect(numbers).toMatchObject({ equal: census.tables.length, tables: census.tables.length, largeObjects: 3 });
  });

  test('in a session with other settings', async () => {
    const set = Object.entries(SETTINGS).map(([name]) => `SET LOCAL ${name} TO DEFAULT`);
    const { differences } = await differencesAfter('content', ...set, `SET LOCAL lc_monetary TO 'C'`);
    expect(differences).toEqual([]);
  });

  const OF_ROWS: readonly (readonly [string, string])[] = [
    ['DELETE FROM plain WHERE a = 7 AND b = $$row 7$$', 'public.plain: 100 rows in the dump, 99 in the database'],
    ['INSERT INTO plain VALUES (1, $$row 1$$)', 'public.plain: 100 rows in the dump, 101 in the database'],
    ['TRUNCATE ONLY plain', 'public.plain: 100 rows in the dump, 0 in the database'],
    ['DELETE FROM heir', 'public.heir: 1 row in the dump, 0 in the database'],
    ['DELETE FROM no_columns', 'public.no_columns: 1 row in the dump, 0 in the database'],
    ['INSERT INTO empty VALUES (1)', 'public.empty: 0 rows in the dump, 1 in the database'],
    ['DELETE FROM measured_rest', 'public.measured_rest: '],
    ['DELETE FROM moods WHERE mood = $$sad$$', 'public.moods'],
    ['DELETE FROM configured WHERE NOT own', 'public.configured: 1 row in the dump, 0 in the database'],
    ['SELECT lo_unlink(4712)', '3 large objects in the dump, 2 in the database'],
    ['SELECT lo_create(4714)', '3 large objects in the dump, 4 in the database'],
  ];

  const OF_CONTENTS: readonly (readonly [string, string])[] = [
    ['UPDATE plain SET b = $$row 8$$ WHERE a = 7', 'public.plain: 100 rows in both, with other contents'],
    ['UPDATE ONLY plain SET a = a + 1', 'public.plain: 100 rows in both'],
    ['UPDATE plain SET b = NULL WHERE a = 7', 'public.plain: 100 rows in both'],
    ['UPDATE heir SET c = 3', 'public.heir: 1 row in both, with other contents'],
    [
      'UPDATE valued SET t = t + interval $$1 us$$ WHERE i = interval $$1 month -1 day 2.5 s$$',
      'public.valued: 50 rows',
    ],
    ['UPDATE valued SET f = f * 1.0000000000000002 WHERE d = $$0044-03-16 BC$$', 'public.valued: 50 rows'],
    ['UPDATE valued SET r = $$0.14285716$$ WHERE d = $$0044-03-16 BC$$', 'public.valued: 50 rows'],
    ['UPDATE valued SET y = set_byte(y, 31, (get_byte(y, 31) + 1) % 256) WHERE d = $$0044-03-16 BC$$', 'public.valued'],
    ['UPDATE valued SET c = $$heir$$ WHERE d = $$0044-03-16 BC$$', 'public.valued: 50 rows in both'],
    ['UPDATE moods SET note = $$c$$ WHERE mood = $$sad$$', 'public.moods'],
    ['UPDATE tenants SET secret = secret || $$ $$', 'public.tenants: 2 rows in both, with other contents'],
    ['UPDATE unlogged SET one = 2', 'public.unlogged: 1 row in both, with other contents'],
    ['UPDATE configured SET k = upper(k) WHERE NOT own', 'public.configured: 1 row in both, with other contents'],
    ['SELECT lo_put(4711, 3, $$\\x00$$)', '3 large objects in both, with other contents'],
    ['SELECT lo_put(4712, 3000000, $$\\x00$$)', '3 large objects in both, with other contents'],
    ['SELECT lo_unlink(4713), lo_create(4714)', '3 large objects in both, with other contents'],
  ];

  test.each([...OF_ROWS, ...OF_CONTENTS])('and differs after %s', async (statement, difference) => {
    const { differences } = await differencesAfter('content', statement);
    expect(differences).toEqual([expect.stringContaining(difference)]);
  });

  test.each(OF_ROWS)('and has another number of rows after %s', async (statement, difference) => {
    const { differences, equal } = await differencesAfter('rows', statement);
    expect(differences).toEqual([expect.stringContaining(difference)]);
    expect(equal).toBe(census.tables.length - (difference.includes('large objects') ? 0 : 1));
  });

  test('and lacks a table', async () => {
    const { absent, differences, equal } = await differencesAfter('rows', 'DROP TABLE unlogged');
    expect(absent).toMatchObject([{ schema: 'public', name: 'unlogged' }]);
    expect({ differences, equal }).toEqual({ differences: [], equal: census.tables.length - 1 });
  });

  test('but not in a table of an extension of another version, which may have other rows dumped', async () => {
    const { hidden, differences } = await differencesAfter(
      'content',
      `UPDATE pg_extension SET extversion = '2.0', extcondition = ARRAY['WHERE own'] WHERE extname = 'citext'`,
    );
    expect(hidden).toEqual([
      expect.stringMatching(/^public\.configured: the extension "citext" .* is 2\.0 here and 1\.\d in the dumped/),
    ]);
    expect(differences).toEqual([]);
  });

  test('and is equal after changes that are none of rows that were dumped', async () => {
    const { differences } = await differencesAfter(
      'content',
      'UPDATE configured SET k = upper(k) WHERE own',
      'INSERT INTO configured VALUES ($$another of the extension$$, true)',
      'CREATE TABLE further AS SELECT 1 AS one',
      'UPDATE plain SET a = a',
      'ALTER TABLE plain ADD COLUMN more int DEFAULT 7',
    );
    expect(differences).toEqual([]);
  });

  test('and what the user may not read, or only in part, is said', async () => {
    const { differences, hidden, equal } = await differencesAfter(
      'content',
      'CREATE ROLE reader',
      'GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader',
      'REVOKE SELECT ON plain FROM reader',
      `GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO reader`,
      'SET LOCAL ROLE reader',
    );
    expect(differences).toEqual([]);
    expect(hidden.toSorted()).toEqual([
      expect.stringContaining(`"Schéma mit 'Leerzeichen'"."Table ""x"" = $1; --": permission denied`),
      'public.plain: permission denied for table plain',
      'public.tenants: query would be affected by row-level security policy for table "tenants"',
    ]);
    expect(equal).toBe(census.tables.length - 3);
  });
});

describe('a restore', () => {
  const database = 'small';

  beforeAll(async () => {
    await stage.createDatabase(
      database,
      'CREATE TABLE t AS SELECT i, sha256(i::text::bytea) FROM generate_series(1, 1000) i',
      `SELECT lo_from_bytea(0, 'large')`,
    );
    expect(await stage.dump(database)).toMatchObject({ status: 0, stderr: '' });
  });

  test('ends by saying that the rows are there, and the same', async () => {
    await stage.createDatabase('counted');
    const counted = await restore(stage, database, 'counted');
    expect(counted.stdout).toMatch(
      /^Done: .* 1 of 1 tables have as many rows as in the dump \(1000 in all\), and there are as many large objects \(1\)\.$/m,
    );
    await stage.createDatabase('read');
    const read = await restore(stage, database, 'read', ['--verify', 'content']);
    expect(read.stdout).toMatch(
      /^Done: .* 1 of 1 tables have the same rows as in the dump \(1000 in all\), and the large objects are the same \(1\)\.$/m,
    );
    expect([counted, read]).toMatchObject([
      { status: 0, stderr: '' },
      { status: 0, stderr: '' },
    ]);
  });

  test('fails if something in the target changes a row, which only shows in its contents', async () => {
    await stage.createDatabase(
      'changing',
      'CREATE SCHEMA own',
      `CREATE FUNCTION own.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.i = 7 THEN NEW.i = 8; END IF; RETURN NEW; END $$`,
      `CREATE FUNCTION own.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
         IF to_regclass('public.t') IS NOT NULL THEN
           CREATE OR REPLACE TRIGGER change BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION own.change();
         END IF; END $$`,
      `CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION own.meddle()`,
    );
    const { status, stderr } = await restore(stage, database, 'changing', ['--into-non-empty', '--verify', 'content']);
    expect(stderr).toContain('these differ from the dump: public.t: 1000 rows in both, with other contents');
    expect(status).toBe(69);
  });
});
