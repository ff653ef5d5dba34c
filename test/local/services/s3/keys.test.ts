import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

describe('an object', () => {
  test.each(['plain.dmp', 'prod/orders-20261122T080000Z.dmp', 'größe und länge/日本 (1)+&=%41.dmp', "quote's.dmp"])(
    'under the key %s can be read over S3 and at that path',
    async (key) => {
      await bucket.put(key, `body of ${key}`);
      expect(await bucket.read(key)).toBe(`body of ${key}`);
      expect(await readFile(join(bucket.directory, 'dumps', key), 'utf8')).toBe(`body of ${key}`);
    },
  );

  test.each([
    ['/prod/app/orders.dmp', '%/prod/app/orders.dmp'],
    ['a//b', 'a/%/b'],
    ['a/./b', 'a/%./b'],
    ['a/../b', 'a/%../b'],
    ['../../../../escaped', '%../%../%../%../escaped'],
    ['folder/', 'folder/%'],
    ['//', '%/%/%'],
    ['%/prod', '%%/prod'],
    ['%../prod', '%%../prod'],
    ['.incoming/x', '.incoming/x'],
  ])('under the key %s, which is not a path, has the file %s', async (key, file) => {
    await bucket.put(key, `body of ${key}`);
    expect(await bucket.read(key)).toBe(`body of ${key}`);
    expect(await readFile(join(bucket.directory, 'dumps', file), 'utf8')).toBe(`body of ${key}`);
    expect(bucket.server.fileOf('dumps', key)).toBe(join(bucket.directory, 'dumps', file));
    const { Contents } = await bucket.s3.send(new ListObjectsV2Command({ Bucket: 'dumps', Prefix: key }));
    expect(Contents?.map(({ Key }) => Key)).toContain(key);
    await bucket.s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: key }));
    await expect(bucket.read(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(access(join(bucket.directory, 'dumps', file))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    ['a segment too long for a file name', [`${'ü'.repeat(200)}.dmp`]],
    ['1,024 bytes without a slash', ['x'.repeat(1024)]],
    ['1,024 slashes', ['/'.repeat(1024)]],
    ['a NUL', ['nul\0', 'nul\0/x']],
    ['the key of another object as a prefix', ['both', 'both/inner', 'both/inner/most']],
    ['a prefix of the key of another object', ['outer/inner', 'outer']],
  ])('under a key with %s can be written, replaced and deleted', async (_, keys) => {
    for (const key of keys) {
      await bucket.put(key, 'first');
      await bucket.put(key, `body of ${key}`);
    }
    for (const key of keys) {
      expect(await bucket.read(key)).toBe(`body of ${key}`);
      expect(await readFile(bucket.server.fileOf('dumps', key) ?? '', 'utf8')).toBe(`body of ${key}`);
    }
    for (const key of keys) {
      await bucket.s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: key }));
      await expect(bucket.read(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    }
  });

  test('cannot have a key of more than 1,024 bytes', async () => {
    await expect(bucket.put('ü'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  test.each([
    ['/dumps/../../escaped', '../../escaped'],
    ['/dumps/%2e%2e/%2e%2e/escaped', '../../escaped'],
    ['/dumps/a/%2e%2e%2f%2e%2e%2f%2e%2e%2fescaped', 'a/../../../escaped'],
  ])('cannot leave the directory by the URL %s', async (path, key) => {
    expect(await bucket.statusOf('PUT', path)).toBe(200);
    expect(bucket.server.fileOf('dumps', key)).toMatch(new RegExp(`^${bucket.directory}/dumps/.*%\\.\\./escaped$`));
  });

  test.each([
    ['/%2e%2e/escaped', 400],
    ['/.index/dumps', 400],
    ['//escaped', 501],
    ['/dumps/%ff', 400],
  ])('is refused at the URL %s', async (path, status) => {
    expect(await bucket.statusOf('PUT', path)).toBe(status);
  });
});
