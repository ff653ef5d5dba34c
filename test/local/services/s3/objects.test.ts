import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crc32InBase64, crc64nvme, MIB, ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

describe('an object', () => {
  test('keeps its metadata, and the checksum that it was uploaded with', async () => {
    const Body = Buffer.from('some bytes');
    await bucket.s3.send(
      new PutObjectCommand({ Bucket: 'dumps', Key: 'meta', Body, ContentType: 'text/x', Metadata: { of: 'mine' } }),
    );
    const head = await bucket.s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: 'meta', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentLength: Body.length,
      ContentType: 'text/x',
      Metadata: { of: 'mine' },
      ChecksumCRC32: crc32InBase64(Body),
      ChecksumType: 'FULL_OBJECT',
    });
    expect(head.ChecksumCRC64NVME).toBeUndefined();
  });

  test.each(['CRC32', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('is verified by its %s', async (ChecksumAlgorithm) => {
    const Key = `verified/${ChecksumAlgorithm}`;
    const sent = await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body: 'body', ChecksumAlgorithm }));
    const head = await bucket.s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key, ChecksumMode: 'ENABLED' }));
    const field = `Checksum${ChecksumAlgorithm}` as const;
    expect(head[field]).toMatch(/^[\w+/]+=*$/);
    expect(sent[field]).toBe(head[field]);
  });

  test('that comes without a checksum gets the CRC64NVME of S3', async () => {
    await fetch(`${bucket.server.endpoint}/dumps/bare`, { method: 'PUT', body: 'some bytes' });
    const head = await bucket.s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: 'bare', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumCRC64NVME).toBe(await crc64nvme(Buffer.from('some bytes')));
  });

  test('may be a stream whose checksum follows in a trailer', async () => {
    const body = Buffer.alloc(3 * MIB, 'stream');
    await bucket.s3.send(
      new PutObjectCommand({
        Bucket: 'dumps',
        Key: 'stream',
        Body: Readable.from([body.subarray(0, 100), body.subarray(100)]),
        ContentLength: body.length,
        ChecksumAlgorithm: 'CRC64NVME',
      }),
    );
    expect(body.equals(await readFile(join(bucket.directory, 'dumps', 'stream')))).toBe(true);
  });

  test.each([
    ['CRC64NVME', { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'body'],
    ['CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'body'],
    ['SHA256', { 'x-amz-checksum-sha256': 'AAAA' }, 'body'],
    ['MD5', { 'content-md5': 'AAAA' }, 'body'],
    [
      'CRC32 in the trailer',
      { 'content-encoding': 'aws-chunked', 'x-amz-trailer': 'x-amz-checksum-crc32' },
      '4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
    ],
  ])('is refused if its %s is not that of its body', async (_, headers, body) => {
    const answer = await fetch(`${bucket.server.endpoint}/dumps/bad`, { method: 'PUT', headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>BadDigest</Code>');
    await expect(bucket.read('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    ['IncompleteBody', '4\r\nbody\r\n'],
    ['IncompleteBody', '8\r\nbody'],
    ['InvalidRequest', 'no size\r\n'],
  ])('is refused with %s if aws-chunked encodes it as %j', async (code, body) => {
    const headers = { 'content-encoding': 'aws-chunked' };
    const answer = await fetch(`${bucket.server.endpoint}/dumps/bad`, { method: 'PUT', headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
    await expect(bucket.read('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('is never replaced by a conditional write', async () => {
    await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'once', Body: 'first', IfNoneMatch: '*' }));
    const second = bucket.s3.send(
      new PutObjectCommand({ Bucket: 'dumps', Key: 'once', Body: 'second', IfNoneMatch: '*' }),
    );
    await expect(second).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await bucket.read('once')).toBe('first');
  });

  test('is created by exactly one of several concurrent conditional writes', async () => {
    const bodies = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(MIB));
    const writes = bodies.map((Body) =>
      bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'race', Body, IfNoneMatch: '*' })),
    );
    const settled = await Promise.allSettled(writes);
    const won = bodies.filter((_, index) => settled[index]?.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect((await bucket.read('race')) === won[0]).toBe(true);
    for (const write of settled) {
      if (write.status === 'rejected') {
        expect(write.reason).toMatchObject({ name: 'PreconditionFailed' });
      }
    }
  });

  test('is replaced by an unconditional write, and so is its file', async () => {
    await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'first' }));
    await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'second' }));
    expect(await readFile(join(bucket.directory, 'dumps', 'twice'), 'utf8')).toBe('second');
  });

  test('does not exist after an upload that was broken off', async () => {
    const half = request(`${bucket.server.endpoint}/dumps/half`, {
      method: 'PUT',
      headers: { 'content-length': 1000 },
    });
    half.on('error', () => undefined);
    half.write('half of it');
    await once(half, 'socket');
    half.destroy();
    await expect(bucket.read('half')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(bucket.directory, 'dumps'))).not.toContain('half');
  });

  test('needs its bucket', async () => {
    const put = bucket.s3.send(new PutObjectCommand({ Bucket: 'nowhere', Key: 'x', Body: 'x' }));
    await expect(put).rejects.toMatchObject({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
  });
});
