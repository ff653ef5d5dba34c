import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { restoreCommand } from '../../../docker/dump/restore-command.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';
import { crc32InBase64 } from '../../../docker/s3/checksum.ts';
import { clientFolder } from '../support/client-folder.ts';
import { contentsOf, DIFFICULT_CONTENTS } from '../support/contents.ts';
import { hashed } from '../support/hashed.ts';
import { noise } from '../support/noise.ts';
import { processes } from '../support/processes.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { BUCKET, EXECUTION, keyOf, type Outcome, SECRET_ARN, Stage, WHEN } from '../support/stage.ts';

const execute = promisify(execFile);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
});

afterAll(async () => {
  await stage.tearDown();
});

describe('a dump restores to the same contents', () => {
  test('with difficult contents, in a database with a difficult name', async () => {
    const database = `dbname=x 'odd' "größe" $1; --`;
    await stage.createDatabase(database, ...DIFFICULT_CONTENTS);
    const { status, stdout, stderr } = await stage.dump(database);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await stage.restore(keyOf(database), 'restored');
    const restored = await contentsOf(stage, 'restored');
    expect(restored).toEqual(await contentsOf(stage, database));
    expect(restored).toMatchObject({ ids_id_seq: [expect.anything()], per_month: [expect.anything()] });
    expect(stdout).toContain(`Done: s3://${BUCKET}/${keyOf(database)}`);
  });

  test('with 2,000 tables', async () => {
    await stage.createDatabase(
      'many',
      `DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT %s AS i', i, i); END LOOP; END $$`,
    );
    expect(await stage.dump('many')).toMatchObject({ status: 0, stderr: '' });
    await stage.restore(keyOf('many'), 'many restored');
    const restored = await contentsOf(stage, 'many restored');
    expect(Object.keys(restored).filter((name) => name.startsWith('t'))).toHaveLength(2000);
    expect(restored).toEqual(await contentsOf(stage, 'many'));
  });

  test('of an empty database', async () => {
    await stage.createDatabase('empty');
    expect(await stage.dump('empty')).toMatchObject({ status: 0, stderr: '' });
    await stage.restore(keyOf('empty'), 'empty restored');
  });

  test("larger than one part of an upload, with the manifest's command", async () => {
    await stage.createDatabase('large', noise(2600));
    expect(await stage.dump('large')).toMatchObject({ status: 0, stderr: '' });
    const { restore, proof } = await stage.manifestOf(keyOf('large'));
    expect(proof.bytes).toBeGreaterThan(2 * 8 * 1024 * 1024);
    await stage.createDatabase('large restored');
    await pasteInShell(restore, 'large', 'large restored');
    expect(await contentsOf(stage, 'large restored')).toEqual(await contentsOf(stage, 'large'));
  });
});

describe('a dump that the disk has no room for is streamed, and restores to the same contents', () => {
  beforeAll(async () => {
    await stage.createDatabase('streamed', ...DIFFICULT_CONTENTS, noise(3400));
  });

  async function expectStreamed({ status, stdout, stderr }: Outcome, when: string, reason: string): Promise<void> {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('The dump is streamed, without a file');
    const key = keyOf('streamed', when);
    const { proof, dump } = await stage.manifestOf(key);
    expect(dump).toMatchObject({ way: 'stream', reason: expect.stringContaining(reason) });
    const file = await readFile(stage.fileOf(key));
    expect(proof).toMatchObject({ bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') });
    await stage.restore(key, `restored ${when}`);
    expect(await contentsOf(stage, `restored ${when}`)).toEqual(await contentsOf(stage, 'streamed'));
  }

  test('when the disk fills up', async () => {
    const when = '2026-11-22T09:00:00Z';
    const clients = await clientFolder(`
      for arg; do case "$arg" in --file=*/dump)
        "$PG_DUMP" "$@"
        echo 'pg_dump: error: could not write to output file: No space left on device' >&2
        exit 1;;
      esac; done
      exec "$PG_DUMP" "$@"`);
    const outcome = await stage.dump('streamed', { environment: { AUTODUMP_WHEN: when, PATH: clients.path } });
    await clients.remove();
    await expectStreamed(outcome, when, 'the disk filled up');
    expect(await stage.leftovers()).toEqual([]);
  });

  asRootOnLinux('when it is ten times larger than the disk', async () => {
    const when = '2026-11-22T09:01:00Z';
    await withSmallDisk(async (disk) => {
      const outcome = await stage.dump('streamed', { environment: { AUTODUMP_WHEN: when, TMPDIR: disk } });
      await expectStreamed(outcome, when, 'the disk has only 2.1 MB free');
      expect((await stage.manifestOf(keyOf('streamed', when))).proof.bytes).toBeGreaterThan(10 * 2 ** 21);
    });
  });
});

/** Runs a restore command in a shell in which a script replaces `aws s3 cp`. */
async function pasteInShell(command: string, dumped: string, into: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  try {
    await mkdir(join(folder, 'bin'));
    const script = `#!/bin/sh\n[ "$3" = 's3://${BUCKET}/${keyOf(dumped)}' ] && cp '${stage.fileOf(keyOf(dumped))}' "$4"\n`;
    await writeFile(join(folder, 'bin', 'aws'), script, { mode: 0o755 });
    const { host, port, user, password } = stage.postgres;
    const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: into };
    await execute('sh', ['-c', command], {
      cwd: folder,
      env: { ...env, PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}` },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the manifest contains what was dumped, how, and the proof', async () => {
  await stage.createDatabase(
    'described',
    'CREATE TABLE t AS SELECT generate_series(1, 1000)',
    'ANALYZE t',
    'CREATE TABLE new (i int)',
  );
  await stage.dump('described');
  const object = { bucket: BUCKET, key: keyOf('described') };
  const file = await readFile(stage.fileOf(object.key));
  const time = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const rows = Array.from({ length: 1000 }, (_, index) => Buffer.from(String(index + 1)));
  const provenRows = (lines: readonly Buffer[]) => {
    const { count, hash } = hashed(lines);
    return { provenRows: count, contentHash: hash };
  };
  const [offset, length] = [expect.any(Number), expect.any(Number)];
  expect(await stage.manifestOf(object.key)).toEqual({
    manifestVersion: 1,
    secretArn: SECRET_ARN,
    storage: { class: 'STANDARD', expiresAfterDays: 35 },
    assertions: [],
    execution: EXECUTION,
    scheduledFor: WHEN,
    source: {
      host: stage.postgres.host,
      port: stage.postgres.port,
      database: 'described',
      serverVersion: expect.stringMatching(/^15\./),
      encoding: 'UTF8',
      locale: { provider: 'libc', collate: 'C', ctype: 'C', name: null, rules: null },
      partitionsDependOn: [],
      moneyLocale: null,
      textSettings: { bytea_output: 'hex', quote_all_identifiers: 'off' },
      databaseBytes: expect.any(Number),
    },
    dump: {
      client: expect.stringMatching(/^pg_dump \d+\.\d+/),
      format: 'custom',
      compression: expect.stringMatching(/^(gzip:1|zstd:3)$/),
      way: 'file',
      reason: null,
    },
    object,
    proof: {
      bytes: file.length,
      sha256: createHash('sha256').update(file).digest('hex'),
      crc32: crc32InBase64(crc32(file)),
      crc64nvme: null,
      verified: true,
      method: expect.stringContaining('pg_restore'),
    },
    seconds: { dump: expect.any(Number), proof: expect.any(Number), commit: expect.any(Number) },
    startedAt: time,
    finishedAt: time,
    recovered: false,
    restore: restoreCommand(object),
    restoreJob: expect.stringMatching(/^aws batch submit-job --region us-west-2 .* --job-definition AutoDump-restore /),
    extensions: [{ name: 'plpgsql', version: '1.0' }],
    tables: [
      { schema: 'public', name: 'new', rows: null, bytes: 0, ...provenRows([]), offset, length },
      { schema: 'public', name: 't', rows: 1000, bytes: expect.any(Number), ...provenRows(rows), offset, length },
    ],
    largeObjects: { count: 0, bytes: 0, contentHash: '0000000000000000' },
    filters: NO_FILTERS,
    leftOut: { schemas: [], tables: [], rows: [], objectsWithoutSchema: false },
    needs: {
      database: {
        ...{ owner: 'postgres', settings: [], grants: null, comment: null, connectionLimit: -1 },
        securityLabels: [],
        isTemplate: false,
      },
      roles: [expect.objectContaining({ name: 'postgres', uses: ['ownership'] })],
      userMappings: [],
      unseen: [],
    },
    run: null,
  });
  expect(await stage.leftovers()).toEqual([]);
});

test('a password with any characters works and is not shown anywhere', async () => {
  const password = `' " \\ $(id) \`;\` | & % # @ : / ? {}[] ü ^\n=`;
  await stage.createDatabase('guarded', 'CREATE TABLE held ()');
  await stage.query('postgres', `CREATE ROLE "o'dd" SUPERUSER LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  await stage.whileLocked('guarded', 'held', async (release) => {
    const running = await stage.start('guarded', { secret: { username: "o'dd", password } });
    await stage.untilDumpWaits(running);
    const shown = (await processes()).map(({ args }) => args).join('\n');
    await release();
    const { status, stdout, stderr } = await running.outcome;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(shown).toContain('pg_dump');
    for (const form of [
      password,
      'ü ^',
      '`;` | &',
      encodeURIComponent(password),
      JSON.stringify(password).slice(1, -1),
    ]) {
      expect(shown).not.toContain(form);
      expect(stdout).not.toContain(form);
      expect(await readFile(stage.fileOf(`${keyOf('guarded')}.json`), 'utf8')).not.toContain(form);
    }
  });
});

describe('a dump that already exists', () => {
  test('is left unchanged, and so is its manifest', async () => {
    await stage.createDatabase('twice', 'CREATE TABLE t AS SELECT 1');
    await stage.dump('twice');
    const [dump, manifest] = await Promise.all(
      [keyOf('twice'), `${keyOf('twice')}.json`].map((key) => readFile(stage.fileOf(key))),
    );
    await stage.query('twice', 'INSERT INTO t VALUES (2)');
    const { status, stdout, stderr } = await stage.dump('twice');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('An earlier attempt already made this dump');
    expect(await readFile(stage.fileOf(keyOf('twice')))).toEqual(dump);
    expect(await readFile(stage.fileOf(`${keyOf('twice')}.json`))).toEqual(manifest);
  });

  test('gets its missing manifest, without access to the database', async () => {
    const key = keyOf('recovered');
    const { bytes } = await put(key, 'a dump');
    const { status } = await stage.dump('recovered', { secret: { host: 'no-such-host.invalid' } });
    expect(status).toBe(0);
    expect(await stage.manifestOf(key)).toMatchObject({
      source: { database: 'recovered', serverVersion: null },
      dump: { client: null, compression: null },
      proof: { bytes, sha256: null, crc32: null, crc64nvme: null, verified: true },
      startedAt: null,
      finishedAt: null,
      recovered: true,
      restore: restoreCommand({ bucket: BUCKET, key }),
    });
  });

  test('only as a manifest is refused until that is deleted', async () => {
    const key = keyOf('half gone');
    await put(`${key}.json`, '{}');
    const { status, stderr } = await stage.dump('half gone', { secret: { host: 'no-such-host.invalid' } });
    expect(stderr).toContain(`There is a manifest s3://${BUCKET}/${key}.json, but its dump has been deleted`);
    expect(status).toBe(77);
    expect(await stage.hasObject(key)).toBe(false);
  });

  test('at the time of the commit is not overwritten', async () => {
    await stage.createDatabase('overtaken', 'CREATE TABLE held ()');
    await stage.whileLocked('overtaken', 'held', async (release) => {
      const running = await stage.start('overtaken');
      await stage.untilDumpWaits(running);
      await put(keyOf('overtaken'), 'the dump of another');
      await release();
      expect(await running.outcome).toMatchObject({ status: 0, stderr: '' });
      expect(await readFile(stage.fileOf(keyOf('overtaken')), 'utf8')).toBe('the dump of another');
      expect(await stage.manifestOf(keyOf('overtaken'))).toMatchObject({ recovered: true });
      expect(await stage.leftovers()).toEqual([]);
    });
  });

  async function put(key: string, body: string): Promise<{ bytes: number }> {
    const { ok } = await fetch(`${stage.s3.endpoint}/${BUCKET}/${key}`, { method: 'PUT', body });
    expect(ok).toBe(true);
    return { bytes: Buffer.byteLength(body) };
  }
});
