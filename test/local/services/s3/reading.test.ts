import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MIB, ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

describe('an object', () => {
  test.each([
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=0-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=4-2', 200, 'abcdefghij', null],
    ['lines=1-2', 200, 'abcdefghij', null],
  ])('is read by the range %s', async (range, status, body, contentRange) => {
    await bucket.put('range', 'abcdefghij');
    const answer = await fetch(`${bucket.server.endpoint}/dumps/range`, { headers: { range } });
    expect([answer.status, await answer.text()]).toEqual([status, body]);
    expect(answer.headers.get('content-range')).toBe(contentRange);
  });

  test.each([
    ['ten', 'bytes=10-'],
    ['ten', 'bytes=-0'],
    ['empty', 'bytes=0-0'],
  ])('of %s bytes cannot be read by the range %s', async (size, range) => {
    await bucket.put('short', size === 'ten' ? 'abcdefghij' : '');
    const answer = await fetch(`${bucket.server.endpoint}/dumps/short`, { headers: { range } });
    expect(answer.status).toBe(416);
    expect(await answer.text()).toContain('<Code>InvalidRange</Code>');
  });

  test('may be empty', async () => {
    await bucket.put('empty', '');
    expect(await bucket.read('empty')).toBe('');
  });

  test('is read only while its ETag matches', async () => {
    const { ETag } = await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'match', Body: 'first' }));
    const get = new GetObjectCommand({ Bucket: 'dumps', Key: 'match', IfMatch: ETag });
    expect(await (await bucket.s3.send(get)).Body?.transformToString()).toBe('first');
    await bucket.put('match', 'second');
    await expect(bucket.s3.send(get)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('stays whole for whoever reads it while it is replaced', async () => {
    const first = 'a'.repeat(4 * MIB);
    await bucket.put('replaced', first);
    const reading = await bucket.s3.send(new GetObjectCommand({ Bucket: 'dumps', Key: 'replaced' }));
    await bucket.put('replaced', 'second');
    expect((await reading.Body?.transformToString()) === first).toBe(true);
    expect(await bucket.read('replaced')).toBe('second');
  });

  test('is deleted with its file and the folders that are empty then', async () => {
    await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'deleted/soon', Body: 'x' }));
    await bucket.s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: 'deleted/soon' }));
    await expect(bucket.read('deleted/soon')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(bucket.directory, 'dumps'))).not.toContain('deleted');
  });

  test('is listed by prefix', async () => {
    for (const Key of ['list/a b', 'list/ü', 'other']) {
      await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body: '12345' }));
    }
    const { Contents } = await bucket.s3.send(new ListObjectsV2Command({ Bucket: 'dumps', Prefix: 'list/' }));
    expect(Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['list/a b', 5],
      ['list/ü', 5],
    ]);
  });
});
