import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crc32InBase64 } from '../../../docker/s3/checksum.ts';
import { contentsOf, DIFFICULT_CONTENTS } from '../support/contents.ts';
import { startFaultyS3 } from '../support/faulty-s3.ts';
import { noise } from '../support/noise.ts';
import { asRootOnLinux, withSmallDisk } from '../support/small-disk.ts';
import { BUCKET, keyOf, SECRET_ARN, Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('source', ...DIFFICULT_CONTENTS);
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

/** Without a checksum of the uploader, S3 computes a CRC64NVME. */
type Algorithm = 'CRC32' | 'CRC64NVME';

/** Creates or replaces an object. */
async function put(key: string, body: Buffer | string, algorithm: Algorithm = 'CRC64NVME'): Promise<void> {
  const headers = algorithm === 'CRC32' ? { 'x-amz-checksum-crc32': crc32InBase64(crc32(body)) } : {};
  const { ok } = await fetch(`${stage.s3.endpoint}/${BUCKET}/${key}`, { method: 'PUT', body, headers });
  expect(ok).toBe(true);
}

/** The checksum that S3 has of an object, as `CRC32 AAAAAA==`. */
async function storedChecksum(key: string): Promise<string> {
  const { headers } = await fetch(`${stage.s3.endpoint}/${BUCKET}/${key}`, {
    method: 'HEAD',
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  });
  const value = headers.get('x-amz-checksum-crc32');
  return value === null ? `CRC64NVME ${headers.get('x-amz-checksum-crc64nvme')}` : `CRC32 ${value}`;
}

/** A change of dump and manifest together, as only somebody who may write to the bucket can make it. */
function forged(change: (bytes: Buffer) => Buffer) {
  return {
    dump: change,
    manifest: (text: string) => {
      const bytes = change(readFileSync(stage.fileOf(keyOf('source'))));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return text
        .replace(/"bytes": ?\d+/, `"bytes":${bytes.length}`)
        .replace(/"sha256": ?"\w+"/, `"sha256":"${sha256}"`);
    },
  };
}

/** Copies the dump of `source` to another name, changing its bytes or its manifest. */
async function copy(
  name: string,
  {
    dump = (bytes) => bytes,
    manifest = (text) => text,
    algorithm = 'CRC32',
  }: {
    dump?: (bytes: Buffer) => Buffer;
    manifest?: (text: string) => string | undefined;
    algorithm?: Algorithm;
  },
): Promise<void> {
  const original = stage.fileOf(keyOf('source'));
  await put(keyOf(name), dump(await readFile(original)), algorithm);
  const text = manifest(await readFile(`${original}.json`, 'utf8'));
  if (text !== undefined) {
    await put(`${keyOf(name)}.json`, text);
  }
}

async function expectEmpty(database: string): Promise<void> {
  const { extensions, ...contents } = await contentsOf(stage, database);
  expect(extensions).toHaveLength(1);
  expect(Object.values(contents).flat()).toEqual([]);
}

describe('a restore', () => {
  test('makes the database equal to the one that was dumped', async () => {
    await stage.createDatabase(`dbname=x 'odd' "größe"`);
    const { status, stdout, stderr } = await restore(stage, 'source', `dbname=x 'odd' "größe"`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Its SHA-256 [0-9a-f]{64} matches the proven dump\.$/m);
    expect(stdout).toMatch(/^Restoring: .* in \d+ s/m);
    expect(stdout).toContain(
      "Compared with the dump's table of contents, the database has 9 of 9 tables, 1 of 1 materialized views, 1 of 1 sequences.",
    );
    expect(stdout).toMatch(/^Done: .* 8 of 8 tables have as many rows as in the dump \(\d+ in all\)/m);
    expect(await contentsOf(stage, `dbname=x 'odd' "größe"`)).toEqual(await contentsOf(stage, 'source'));
    expect(await stage.leftovers()).toEqual([]);
  });

  test('into a database given as a URL reads the password from the environment', async () => {
    await stage.createDatabase('by url');
    const { host, port, user, password } = stage.postgres;
    const url = `postgresql://${user}@${host}:${port}/by%20url?sslmode=disable`;
    const outcome = stage.dump('', {
      secret: 'none',
      args: ['restore', `s3://${BUCKET}/${keyOf('source')}`, '--to', url, '--jobs', '1'],
      environment: { AWS_REGION: 'us-west-2', PGPASSWORD: password },
    });
    expect(await outcome).toMatchObject({ status: 0, stderr: '' });
    expect(await contentsOf(stage, 'by url')).toEqual(await contentsOf(stage, 'source'));
  });

  test('without the password that the server requires is refused, whatever ~/.pgpass contains', async () => {
    const { host, port, user, password } = stage.postgres;
    const file = join(stage.scratch, '..', 'pgpass');
    await writeFile(file, `*:*:*:*:${password}\n`, { mode: 0o600 });
    const outcome = stage.dump('', {
      secret: 'none',
      args: ['restore', `s3://${BUCKET}/${keyOf('source')}`, '--to', `postgres://${user}@${host}:${port}/postgres`],
      environment: { AWS_REGION: 'us-west-2', PGPASSFILE: file },
    });
    const { status, stderr } = await outcome;
    expect(stderr).toContain('none was given: set PGPASSWORD');
    expect(status).toBe(77);
  });

  // Earlier versions stored CRC64NVME.
  test.each(['CRC32', 'CRC64NVME'] as const)(
    'of a recovered dump is checked against the %s in S3',
    async (algorithm) => {
      const name = `recovered ${algorithm}`;
      await copy(name, {
        algorithm,
        manifest: (text) =>
          JSON.stringify({
            ...(JSON.parse(text) as { proof: object }),
            source: { serverVersion: null },
            dump: { client: null, format: 'custom', compression: null },
            proof: { ...(JSON.parse(text) as { proof: object }).proof, sha256: null, crc32: null },
          }),
      });
      await stage.createDatabase(`from ${name}`);
      const { status, stdout } = await restore(stage, name, `from ${name}`);
      expect(stdout).toContain(`Its ${await storedChecksum(keyOf(name))} matches the proven dump.`);
      expect(status).toBe(0);
      expect(await contentsOf(stage, `from ${name}`)).toEqual(await contentsOf(stage, 'source'));
    },
  );

  test('of a dump by an earlier version is checked against the SHA-256 in its manifest', async () => {
    await copy('earlier', {
      algorithm: 'CRC64NVME',
      manifest: (text) => {
        const { proof, ...rest } = JSON.parse(text) as { proof: object };
        return JSON.stringify({ ...rest, proof: { ...proof, crc32: undefined, crc64nvme: 'AAAAAAAAAAA=' } });
      },
    });
    await stage.createDatabase('from earlier');
    const { status, stdout } = await restore(stage, 'earlier', 'from earlier');
    expect(stdout).toMatch(/^Its SHA-256 \S+ matches the proven dump\.$/m);
    expect(status).toBe(0);
    expect(await contentsOf(stage, 'from earlier')).toEqual(await contentsOf(stage, 'source'));
  });

  test('of several parts reads them in order', async () => {
    await stage.createDatabase('large', noise(5200));
    expect(await stage.dump('large')).toMatchObject({ status: 0, stderr: '' });
    expect((await stage.manifestOf(keyOf('large'))).proof.bytes).toBeGreaterThan(4 * 8 * 1024 * 1024);
    await stage.createDatabase('from large');
    expect(await restore(stage, 'large', 'from large')).toMatchObject({ status: 0, stderr: '' });
    expect(await contentsOf(stage, 'from large')).toEqual(await contentsOf(stage, 'large'));
  });
});

describe('a restore of a dump that the disk has no room for', () => {
  asRootOnLinux('reads it twice, and makes an equal database', async () => {
    await stage.createDatabase('from stream');
    await withSmallDisk(async (disk) => {
      const { status, stdout, stderr } = await restore(stage, 'source', 'from stream', [], {
        environment: { TMPDIR: disk },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('is read from S3 twice');
    });
    expect(await contentsOf(stage, 'from stream')).toEqual(await contentsOf(stage, 'source'));
  });

  asRootOnLinux('fails if the second read differs from the verified dump, even if pg_restore succeeds', async () => {
    await stage.createDatabase('from changed');
    let reads = 0;
    // The first is of the table of contents, the second is verified.
    const isLastRead = (request: string) => /^GET .*\.dmp\?/.test(request) && ++reads === 3;
    const s3 = await startFaultyS3(stage.s3.endpoint, isLastRead, 'change');
    await withSmallDisk(async (disk) => {
      const environment = { TMPDIR: disk, AWS_ENDPOINT_URL_S3: s3.endpoint };
      const { status, stdout, stderr } = await restore(stage, 'source', 'from changed', [], { environment });
      expect(stderr).toContain('is not the dump that was proven');
      expect(stdout).toContain('drop it');
      expect(status).toBe(69);
    });
    await s3.hit;
    await s3.stop();
  });
});

describe('a restore is refused before the database is changed', () => {
  test.each([
    ['a table', 'CREATE TABLE there ()', /contains, for example, public\.there\./],
    ['a schema', 'CREATE SCHEMA "Über all"', /contains, for example, schema "Über all"\./],
    [
      'a function',
      'CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      /contains, for example, public\.f\(integer\)\./,
    ],
    ['a type', "CREATE TYPE mood AS ENUM ('sad')", /contains, for example, type public\.mood\./],
    ['a composite type', 'CREATE TYPE pair AS (a int, b int)', /contains, for example, type public\.pair\./],
    ['a large object', 'SELECT lo_create(4242)', /contains, for example, large object 4242\./],
    [
      'an operator',
      'CREATE OPERATOR <=> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)',
      /contains, for example, operator public\.<=>/,
    ],
    ['a collation', 'CREATE COLLATION c FROM "C"', /contains, for example, collation public\.c\./],
    ['a cast', 'CREATE CAST (int AS point) WITH INOUT', /contains, for example, cast from integer to point\./],
    ['a foreign-data wrapper', 'CREATE FOREIGN DATA WRAPPER w', /contains, for example, foreign-data wrapper w\./],
    ['a publication', 'CREATE PUBLICATION p', /contains, for example, publication p\./],
    [
      'a subscription',
      `CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)`,
      /contains, for example, subscription s\./,
    ],
  ])('if it contains %s', async (what, statement, names) => {
    await stage.createDatabase(`with ${what}`, statement);
    const before = await contentsOf(stage, `with ${what}`);
    const { status, stderr } = await restore(stage, 'source', `with ${what}`);
    expect(stderr).toMatch(names);
    expect(status).toBe(77);
    expect(await contentsOf(stage, `with ${what}`)).toEqual(before);
  });

  test('but not for an extension, which may come from the template', async () => {
    await stage.createDatabase(
      'with extension',
      ...['btree_gist', 'dblink', 'hstore', 'postgres_fdw', 'tablefunc', 'unaccent'].map(
        (name) => `CREATE EXTENSION ${name}`,
      ),
    );
    expect(await restore(stage, 'source', 'with extension')).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    [
      'other bytes',
      { dump: (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 4000 ? byte ^ 1 : byte))) },
      69,
      /is not the dump that was proven/,
    ],
    [
      'one byte less',
      { dump: (bytes: Buffer) => bytes.subarray(0, -1) },
      69,
      /has \d+ bytes, but \d+ bytes were proven/,
    ],
    [
      'a forged manifest and a truncated end',
      forged((bytes) => bytes.subarray(0, -100)),
      69,
      /is not an archive that .* can restore.* The dump is damaged: it is truncated/,
    ],
    ['no manifest', { manifest: () => undefined }, 77, /There is no manifest s3:\/\/dumps\/prod\/app\/no manifest/],
    [
      'a manifest of another kind',
      { manifest: () => '{"manifestVersion":2}' },
      77,
      /not a manifest that this version of AutoDump can read/,
    ],
    ['a manifest that is not JSON', { manifest: () => 'x' }, 77, /it is not JSON/],
    [
      'a newer pg_dump',
      { manifest: (text: string) => text.replace(/"pg_dump \d+/, '"pg_dump 99') },
      77,
      /was made by pg_dump 99, and pg_restore must not be older/,
    ],
  ])('if the dump has %s', async (name, changes, expected, message) => {
    await copy(name, changes);
    await stage.createDatabase(`from ${name}`);
    const { status, stderr } = await restore(stage, name, `from ${name}`);
    expect(stderr).toMatch(message);
    expect(status).toBe(expected);
    await expectEmpty(`from ${name}`);
    expect(await stage.leftovers()).toEqual([]);
  });

  test('if there is no dump', async () => {
    await put(`${keyOf('gone')}.json`, await readFile(stage.fileOf(`${keyOf('source')}.json`)));
    await stage.createDatabase('from gone');
    const { status, stderr } = await restore(stage, 'gone', 'from gone');
    expect(stderr).toContain('There is a manifest, but no dump s3://');
    expect(status).toBe(77);
  });

  test('if the user may not create anything', async () => {
    await stage.createDatabase('guarded');
    await stage.query('postgres', `CREATE ROLE reader LOGIN PASSWORD 'x'`);
    const { status, stderr } = await restore(stage, 'source', 'guarded', [], {
      secret: { username: 'reader', password: 'x' },
    });
    expect(stderr).toContain(
      'GRANT CREATE ON DATABASE "guarded" TO "reader"; GRANT USAGE, CREATE ON SCHEMA "public" TO "reader";',
    );
    expect(status).toBe(77);
  });
});

test('invalid arguments are refused without a log', async () => {
  const outcome = stage.dump('', {
    args: ['restore', 's3://dumps/key', '--to', SECRET_ARN, '--clean'],
    environment: { AWS_REGION: 'us-west-2' },
  });
  expect(await outcome).toMatchObject({
    status: 64,
    stdout: '',
    stderr: expect.stringContaining("Unknown option '--clean'"),
  });
});
