import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { tempFolders } from '../../support/temp-folder.ts';
import { until, untilFound } from '../../support/until.ts';
import { RESTORABLE_CONTENTS } from '../support/census-contents.ts';
import { drillProgramsWithout } from '../support/drill-programs.ts';
import { byHand, drill, drillUnequal, evidenceIn, put, startDrill, variant } from '../support/drills.ts';
import { processes } from '../support/processes.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { BUCKET, EXECUTION, keyOf, type Running, Stage } from '../support/stage.ts';

let stage: Stage;

const newFolder = tempFolders();

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...RESTORABLE_CONTENTS);
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

afterEach(async () => {
  expect(await stage.leftovers()).toEqual([]);
});

/** Makes a dump that is older than the first. @returns key */
async function dumpOf(database: string, ...statements: readonly string[]): Promise<string> {
  const when = '2026-11-21T08:00:00Z';
  await stage.createDatabase(database, ...statements);
  expect(await stage.dump(database, { environment: { AUTODUMP_WHEN: when } })).toMatchObject({ status: 0 });
  return keyOf(database, when);
}

describe('a dump with contents of every kind', () => {
  test('is equal to what is restored from it', async () => {
    const outcome = await drill(stage);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^Done: .* is equal: 13 of 13 tables are equal \(\d+ rows, 3 large objects\)\.$/m);
    const { proof } = await stage.manifestOf(keyOf('app'));
    expect(outcome.stdout).toContain(`Evidence: s3://${BUCKET}/${keyOf('app')}.drill-20261122T080000Z.json\n`);
    expect(await evidenceIn(stage, outcome)).toMatchObject({
      dump: { bucket: BUCKET, key: keyOf('app'), bytes: proof.bytes, sha256: proof.sha256 },
      verdict: 'equal',
      tables: { total: 13, equal: 13 },
      largeObjects: 3,
      ...{ differences: [], notRestored: [], refused: [], notCompared: [] },
      versions: { server: expect.stringMatching(/^15\./), pgRestore: expect.stringMatching(/^\d+\.\d+/) },
      execution: EXECUTION,
    });
  });

  test('is drilled by hand, too', async () => {
    const outcome = await drill(stage, byHand(keyOf('app')));
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(await evidenceIn(stage, outcome)).toMatchObject({ verdict: 'equal', execution: null });
  });

  test('is equal if an earlier attempt has left evidence, which is kept', async () => {
    const key = `${keyOf('app')}.drill-20261206T080000Z.json`;
    await put(stage, BUCKET, key, 'earlier');
    const outcome = await drill(stage, { environment: { AUTODUMP_WHEN: '2026-12-06T08:00:00Z' } });
    expect(outcome.status).toBe(0);
    expect(outcome.stdout).toContain('The evidence of an earlier attempt is kept');
    expect(await readFile(stage.fileOf(key), 'utf8')).toBe('earlier');
  });
});

describe('a dump that does not restore as it is', () => {
  test('is different if its own code adds rows while it is restored', async () => {
    const key = await dumpOf(
      'adding',
      'CREATE TABLE audit (n int)',
      `CREATE FUNCTION noted(n int) RETURNS int LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO public.audit VALUES (n); RETURN n; END $$`,
      // Refreshed when all rows are there.
      'CREATE MATERIALIZED VIEW m AS SELECT noted(1) AS n',
      'TRUNCATE audit',
    );
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'different',
      differences: [{ table: 'audit', expected: { count: 0 }, found: { count: 1 } }],
    });
  });

  test('is incomplete if the server refuses a statement, which is named', async () => {
    const key = await dumpOf(
      'refused',
      'CREATE TABLE parent (n int PRIMARY KEY)',
      'CREATE TABLE child (n int REFERENCES parent)',
      'SET session_replication_role TO replica',
      'INSERT INTO child VALUES (1)',
    );
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'incomplete',
      tables: { total: 2, equal: 2 },
      refused: [
        {
          statement: expect.stringMatching(/^ALTER TABLE ONLY public\.child\s+ADD CONSTRAINT /),
          reason: expect.stringContaining('violates foreign key constraint "child_n_fkey"'),
        },
      ],
    });
  });

  test('is incomplete if the server lacks an extension, which is named with all that depends on it', async () => {
    const folder = newFolder();
    await chmod(folder, 0o755);
    const key = await dumpOf(
      'extended',
      'CREATE EXTENSION citext',
      'CREATE TABLE named (name citext PRIMARY KEY)',
      `INSERT INTO named VALUES ('a')`,
      'CREATE VIEW names AS SELECT name FROM named',
      'CREATE FUNCTION shout(citext) RETURNS text LANGUAGE sql AS $$ SELECT upper($1::text) $$',
      'CREATE TABLE other (n int)',
      'INSERT INTO other VALUES (1)',
    );
    const { verdict, differences, tables, notRestored } = await drillUnequal(stage, key, {
      PATH: await drillProgramsWithout('citext', folder),
    });
    expect({ verdict, differences, tables }).toEqual({
      verdict: 'incomplete',
      differences: [],
      tables: { total: 2, equal: 1 },
    });
    expect(notRestored).toEqual(
      expect.arrayContaining([
        { what: 'extension citext', reason: 'the server of the drill does not have it' },
        { what: 'table public.named', reason: 'it depends on extension citext' },
        { what: 'view public.names', reason: 'it depends on extension citext' },
        { what: 'function public."shout(public.citext)"', reason: 'it depends on extension citext' },
      ]),
    );
    expect(notRestored.map(({ what }) => what)).not.toContain('table public.other');
  });

  test('is incomplete if the machine lacks its locale', async () => {
    const key = await variant(stage, ({ source }) => {
      source.locale = { provider: 'libc', collate: 'xx_XX.UTF-8', ctype: 'xx_XX.UTF-8', name: null, rules: null };
    });
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'incomplete',
      tables: { total: 13, equal: 13 },
      notRestored: [{ what: 'the locale libc xx_XX.UTF-8', reason: expect.stringContaining('xx_XX.UTF-8') }],
    });
  });

  test('is incomplete if the machine lacks the locale of its amounts of money', async () => {
    const key = await variant(stage, ({ source }) => {
      source.moneyLocale = 'xx_XX.UTF-8';
    });
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'incomplete',
      tables: { total: 13, equal: 12 },
      differences: [],
      notCompared: [expect.stringMatching(/^public\.valued: .* of the locale 'xx_XX\.UTF-8', which this server/)],
    });
  });

  test('is incomplete if its manifest has no census', async () => {
    const key = await variant(stage, (manifest) => {
      manifest.tables = null;
    });
    expect(await drillUnequal(stage, key)).toMatchObject({
      verdict: 'incomplete',
      tables: null,
      notCompared: [expect.stringContaining('the manifest does not say how many the dump has')],
    });
  });

  test('has failed if its bytes are not the proven ones', async () => {
    const change = (bytes: Buffer) => {
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 100) ^ 1, bytes.length - 100);
    };
    expect(await drillUnequal(stage, await variant(stage, () => undefined, change))).toMatchObject({
      verdict: 'failed',
      reason: expect.stringContaining('is not the dump that was proven'),
      seconds: { usable: null },
    });
  });
});

test('a database in another encoding is equal to what is restored from it', async () => {
  await stage.query('postgres', `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
  await stage.query('latin', 'CREATE TABLE "größe" AS SELECT $$ä$$::text AS "ö"');
  const when = '2026-11-20T08:00:00Z';
  expect(await stage.dump('latin', { environment: { AUTODUMP_WHEN: when } })).toMatchObject({ status: 0 });
  expect(await drill(stage, byHand(keyOf('latin', when)))).toMatchObject({ status: 0, stderr: '' });
});

describe('of a secret with several dumps', () => {
  test('the one with the newest scheduled time is drilled, in whatever bucket', async () => {
    await stage.s3.createBucket('more');
    const newer = keyOf('app', '2026-11-25T08:00:00Z');
    for (const end of ['', '.json']) {
      await put(stage, 'more', `${newer}${end}`, await readFile(stage.fileOf(`${keyOf('app')}${end}`)));
    }
    await put(stage, BUCKET, 'prod/app/of-another-secret/app-20261126T080000Z.dmp', 'a dump');
    const { status, stdout } = await drill(stage, { environment: { AUTODUMP_BUCKETS: `${BUCKET},more` } });
    expect(stdout).toContain(`Drilling s3://more/${newer}, `);
    expect(status).toBe(0);
  });

  test('none is refused', async () => {
    const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/undumped-AbCdEf';
    const { status, stderr } = await drill(stage, { environment: { AUTODUMP_SECRET_ARN: arn } });
    expect(stderr).toContain(`There is no dump of prod/undumped to restore in ${BUCKET}.`);
    expect(status).toBe(77);
  });
});

test('without a server beside the client programs, nothing is fetched', async () => {
  const { status, stderr, stdout } = await drill(stage, { environment: { PATH: undefined } });
  expect(stderr).toContain('A drill restores into a server that it starts itself');
  expect(stdout).not.toContain('Fetching');
  expect(status).toBe(77);
});

asRootOnLinux('a dump that does not fit is refused before it is fetched, with the size that is needed', async () => {
  await withSmallDisk(async (disk) => {
    await chmod(disk, 0o755);
    const { status, stderr, stdout } = await drill(stage, { environment: { TMPDIR: disk } });
    expect(stderr).toMatch(/on the disk of its server\. With .* only 2\.1 MB free\. .* ephemeralStorageGiB=21/);
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
  });
});

/** Waits until the server of a drill runs. */
async function untilServerRuns(running: Running): Promise<void> {
  await untilFound(async () => {
    if (running.process.exitCode !== null) {
      throw new Error('The drill ended before its server ran.');
    }
    return (await serversOf()).length > 0 ? true : undefined;
  });
}

async function serversOf(): Promise<readonly string[]> {
  return (await processes()).map(({ args }) => args).filter((args) => args.includes(`-D ${stage.scratch}/`));
}

describe('the server ends with the program', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 75],
  ] as const)('that is ended by %s', async (signal, status) => {
    const running = await startDrill(stage);
    await untilServerRuns(running);
    running.process.kill(signal);
    expect(await running.outcome).toMatchObject({ status });
    expect(await serversOf()).toEqual([]);
  });

  asRootOnLinux('that is killed', async () => {
    const running = await startDrill(stage);
    await untilServerRuns(running);
    running.process.kill('SIGKILL');
    await running.outcome;
    await until(async () => (await serversOf()).length === 0);
    for (const name of await readdir(stage.scratch)) {
      await rm(join(stage.scratch, name), { recursive: true });
    }
  });
});
