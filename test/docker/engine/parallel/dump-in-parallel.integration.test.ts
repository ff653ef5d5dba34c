import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ArchiveReader } from '../../../../docker/archive/archive-reader.ts';
import { checkOffsets, OFFSET_SET } from '../../../../docker/archive/archive-structure.ts';
import type { TableCensus } from '../../../../docker/census/census-taker.ts';
import type { DumpResult } from '../../../../docker/engine/make-dump.ts';
import { NO_FILTERS } from '../../../../docker/postgres/filters/filters.ts';
import { crc32InBase64 } from '../../../../docker/s3/checksum.ts';
import { pgRestore } from '../../../support/pg-restore.ts';
import { untilFound } from '../../../support/until.ts';
import { CLIENT_PROGRAMS } from '../../support/client-programs.ts';
import { contentsOf, DIFFICULT_CONTENTS } from '../../support/contents.ts';
import { runEngineHere } from '../../support/engine-here.ts';
import { makeParallel } from '../../support/make-parallel.ts';
import { asRootOnLinux, withSmallDisk } from '../../support/small-disk.ts';
import { BUCKET, keyOf, Stage } from '../../support/stage.ts';
import { restore } from '../../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  runEngineHere(stage);
  await stage.createDatabase(
    'app',
    ...DIFFICULT_CONTENTS,
    'CREATE TABLE large AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 150000) i',
    'CREATE TABLE parent AS SELECT i FROM generate_series(1, 5000) i',
    'ALTER TABLE parent ADD PRIMARY KEY (i)',
    'CREATE TABLE child AS SELECT i, i AS parent FROM generate_series(1, 5000) i',
    'ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES parent',
    `CREATE TABLE "two
lines" AS SELECT 1 AS one`,
    'CREATE TABLE ancestor (dropped int, i int, note text)',
    'CREATE TABLE descendant (more text) INHERITS (ancestor)',
    "INSERT INTO ancestor SELECT 0, i, 'of the ancestor' FROM generate_series(1, 500) i",
    "INSERT INTO descendant SELECT 0, i, 'of the descendant', 'more' FROM generate_series(1, 500) i",
    'ALTER TABLE ancestor DROP COLUMN dropped',
    'CREATE TABLE toasted (value text)',
    'ALTER TABLE toasted ALTER value SET STORAGE EXTERNAL',
    'INSERT INTO toasted SELECT repeat(md5(i::text), 1000 * i) FROM generate_series(1, 20) i',
  );
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await stage.tearDown();
});

test.each([
  ['one connection', []],
  ['several', ['--jobs=3']],
])('a dump of several connections is restored by %s, and equal', async (name, options) => {
  const key = `restored/${name}`;
  await makeParallel(stage, 'app', key);
  await stage.restore(key, `restored by ${name}`, ...options);
  expect(await contentsOf(stage, `restored by ${name}`)).toEqual(await contentsOf(stage, 'app'));
});

test('it has the offsets of all data, in the order of its table of contents, and the checksum that S3 has', async () => {
  const { checksums, census } = await makeParallel(stage, 'app', 'structure');
  const archive = await readFile(stage.fileOf('structure'));
  const ids: number[] = [];
  const reader = new ArchiveReader(({ id }) => ids.push(id));
  reader.read(archive);
  const structure = reader.end();
  checkOffsets(structure);
  expect([...structure.locations.values()].filter(({ state }) => state !== OFFSET_SET)).toEqual([]);
  expect([...structure.blocks.keys()]).toEqual(ids);
  // Nothing in it is large enough to be read while it grows.
  const sections = [archive.subarray(0, structure.headBytes), archive.subarray(structure.headBytes)];
  expect(checksums).toEqual({
    bytes: archive.length,
    sha256: null,
    sections: sections.map((bytes) => ({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
    crc32: crc32InBase64(crc32(archive)),
  });
  const places = census.tables.map(({ offset, length }) => ({ offset, length }));
  expect([...structure.blocks.values()]).toEqual(expect.arrayContaining(places));
});

test('it is restored from a stream', async () => {
  await makeParallel(stage, 'app', 'streamed');
  await stage.createDatabase('from a stream');
  const { host, port, user, password } = stage.postgres;
  const env = { PATH: CLIENT_PROGRAMS, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const input = createReadStream(stage.fileOf('streamed')) as AsyncIterable<Buffer>;
  await pgRestore('pg_restore', ['--dbname=from a stream'], env, input);
  expect(await contentsOf(stage, 'from a stream')).toEqual(await contentsOf(stage, 'app'));
});

test('the census is that of a dump of one connection', async () => {
  const byTable = (one: TableCensus, other: TableCensus) => one.oid - other.oid;
  const [several, one] = await Promise.all([
    makeParallel(stage, 'app', 'several'),
    makeParallel(stage, 'app', 'one', { jobs: 1 }),
  ]);
  const rows = ({ census: { tables } }: DumpResult) =>
    tables.toSorted(byTable).map(({ oid, schema, name, count, hash }) => ({ oid, schema, name, count, hash }));
  expect([several.mode.mode, one.mode.mode]).toEqual(['parallel', 'file']);
  expect(rows(several)).toEqual(rows(one));
  expect(several.census.largeObjects).toEqual(one.census.largeObjects);
});

test.each([
  ['empty', []],
  ['without rows', ['CREATE TABLE one (i int)', 'CREATE VIEW two AS SELECT * FROM one']],
  ['a single table', ['CREATE TABLE one AS SELECT i FROM generate_series(1, 1000) i']],
  ['of large objects only', ["SELECT lo_from_bytea(4711, 'x'), lo_from_bytea(4294967295, 'y')"]],
])('a database that is %s is dumped, too', async (name, statements) => {
  await stage.createDatabase(name, ...statements);
  await makeParallel(stage, name, name);
  await stage.restore(name, `${name}, restored`, '--jobs=2');
  expect(await contentsOf(stage, `${name}, restored`)).toEqual(await contentsOf(stage, name));
});

test('rows that are left out have no place in it', async () => {
  const filters = { ...NO_FILTERS, excludetabledata: ['large'] };
  const { census } = await makeParallel(stage, 'app', 'filtered', { filters });
  expect(census.tables.map(({ name }) => name)).not.toContain('large');
  await stage.restore('filtered', 'filtered');
  expect(await stage.query('filtered', 'SELECT count(*) FROM large')).toEqual([{ count: '0' }]);
});

test('a table that somebody wants to lock exclusively in between is worth another try', async () => {
  await stage.createDatabase(
    'contended',
    ...['one', 'other'].map(
      (name) => `CREATE TABLE ${name} AS SELECT sha512(i::text::bytea) FROM generate_series(1, 300000) i`,
    ),
    'CREATE TABLE small (i int)',
    'ANALYZE',
  );
  const client = await stage.connect('contended');
  let lock: Promise<unknown> | undefined;
  const beforeDump = () =>
    Promise.resolve(async () => {
      // Waits for pg_dump.
      lock = client.query('BEGIN; LOCK TABLE small IN ACCESS EXCLUSIVE MODE').catch(() => undefined);
      await untilFound(async () => {
        const waiting = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
        return (await stage.query('contended', waiting)).length > 0 ? true : undefined;
      });
    });
  try {
    await expect(makeParallel(stage, 'contended', 'contended', { jobs: 2, beforeDump })).rejects.toMatchObject({
      reason: 'tryAgain',
      message: expect.stringContaining('could not obtain lock on relation'),
    });
  } finally {
    await lock;
    await client.end();
  }
  expect(await stage.hasObject('contended')).toBe(false);
});

asRootOnLinux('if the disk fills up, the dump is streamed', async () => {
  await withSmallDisk(async (disk) => {
    const { mode, compression } = await makeParallel(stage, 'app', 'small disk', { folder: disk });
    expect(mode).toMatchObject({ mode: 'stream', reason: expect.stringContaining('filled up') });
    // By one connection in the end.
    expect(compression).toMatch(/^(gzip:1|zstd:3)$/);
  });
  await stage.restore('small disk', 'from a small disk');
  expect(await contentsOf(stage, 'from a small disk')).toEqual(await contentsOf(stage, 'app'));
});

test('a dump by the program has no more connections than tables', async () => {
  await stage.createDatabase('narrow', 'CREATE TABLE one AS SELECT 1 AS i');
  const stdout = expect.stringContaining(
    'Connections that read rows: 1, not 2 as the secret asks for, because the number of tables is 1.',
  );
  expect(await stage.dump('narrow', { secret: { parallel: 2 } })).toEqual({ status: 0, stdout, stderr: '' });
  const { dump, proof } = await stage.manifestOf(keyOf('narrow'));
  expect(dump).toMatchObject({ way: 'file', reason: null });
  expect([dump, proof].flatMap(Object.keys)).not.toEqual(expect.arrayContaining(['connections']));
  expect(proof.sha256).toMatch(/^[0-9a-f]{64}$/);
});

describe('a dump by the program, with as many connections as the secret asks for,', () => {
  beforeAll(async () => {
    const outcome = await stage.dump('app', { secret: { parallel: 2 } });
    expect(outcome).toEqual({ status: 0, stdout: expect.stringContaining('2 connections write'), stderr: '' });
    expect(outcome.stdout).toContain('Connections that read rows: 2.');
    expect(await stage.leftovers()).toEqual([]);
  });

  test('is described in its manifest', async () => {
    const { dump, proof } = await stage.manifestOf(keyOf('app'));
    expect(dump).toMatchObject({ way: 'parallel', connections: 2, reason: null });
    expect(dump.compression).toMatch(/^(gzip:1|zstd:1)$/);
    expect(proof).toMatchObject({ sha256: null, method: expect.stringContaining('table by table') });
  });

  test('is restored, and its content is that of the census', async () => {
    await stage.createDatabase('by the program');
    expect(await restore(stage, 'app', 'by the program', ['--verify', 'content'])).toMatchObject({ status: 0 });
    expect(await contentsOf(stage, 'by the program')).toEqual(await contentsOf(stage, 'app'));
  });

  test('gives back the rows of single tables', async () => {
    const tables = ['large', 'measured_2025', 'toasted'].flatMap((name) => ['--table', `public.${name}`]);
    const outcome = await restore(stage, 'app', 'by the program', tables);
    const stdout = expect.stringContaining('the rows in the database are those that were counted and hashed');
    expect(outcome).toMatchObject({ status: 0, stdout, stderr: '' });
  });

  asRootOnLinux('is restored from a stream, if the disk has no room for it', async () => {
    await stage.createDatabase('by a stream');
    await withSmallDisk(async (disk) => {
      const { status, stdout } = await restore(stage, 'app', 'by a stream', [], { environment: { TMPDIR: disk } });
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('stream') });
    });
    expect(await contentsOf(stage, 'by a stream')).toEqual(await contentsOf(stage, 'app'));
  });

  test('is not restored if it was forged, its CRC32 included', async () => {
    const archive = await readFile(stage.fileOf(keyOf('app')));
    const at = archive.length - 100;
    archive.writeUInt8(archive.readUInt8(at) ^ 1, at);
    const manifest = await stage.manifestOf(keyOf('app'));
    const headers = { 'x-amz-checksum-crc32': crc32InBase64(crc32(archive)) };
    const { ok } = await fetch(`${stage.s3.endpoint}/${BUCKET}/${keyOf('app')}`, {
      method: 'PUT',
      body: archive,
      headers,
    });
    expect(ok).toBe(true);
    const proof = { ...manifest.proof, crc32: crc32InBase64(crc32(archive)) };
    await stage.replaceManifest(keyOf('app'), { ...manifest, proof });
    await stage.createDatabase('forged');
    expect(await restore(stage, 'app', 'forged')).toMatchObject({
      status: 69,
      stderr: expect.stringContaining('SHA-256'),
    });
  });
});
