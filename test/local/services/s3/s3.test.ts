import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { sendError } from '../../../../local/services/s3/response.ts';
import { startS3 } from '../../../../local/services/s3/s3.ts';
import { MIB, ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

describe('the server', () => {
  test('reads the body and responds with the reason if it cannot store it', async () => {
    const other = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    const broken = await startS3({ directory: other });
    try {
      await broken.createBucket('dumps');
      await rm(join(other, '.incoming'), { recursive: true });
      const answer = await fetch(`${broken.endpoint}/dumps/key`, { method: 'PUT', body: Buffer.alloc(16 * MIB) });
      expect(answer.status).toBe(500);
      expect(await answer.text()).toContain('ENOENT: no such file or directory');
    } finally {
      await broken.stop();
      await rm(other, { recursive: true });
    }
  });

  test('reports a full disk', async () => {
    const full = createServer((_request, response) => {
      sendError(response, new Error('ENOSPC: no space left on device, write'));
    });
    await once(full.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = z.object({ port: z.number() }).parse(full.address());
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      expect(answer.status).toBe(507);
      expect(await answer.text()).toContain('The disk that holds the S3 objects is full');
    } finally {
      full.close();
    }
  });

  test('serves the objects that an earlier one stored in the same directory', async () => {
    const other = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    const first = await startS3({ directory: other });
    await first.createBucket('kept');
    await fetch(`${first.endpoint}/kept/key`, { method: 'PUT', body: 'kept' });
    await first.stop();
    const second = await startS3({ directory: other });
    try {
      expect(await (await fetch(`${second.endpoint}/kept/key`)).text()).toBe('kept');
    } finally {
      await second.stop();
      await rm(other, { recursive: true });
    }
  });

  test('creates buckets for clients', async () => {
    await bucket.s3.send(new CreateBucketCommand({ Bucket: 'made-by-client' }));
    const { KeyCount } = await bucket.s3.send(new ListObjectsV2Command({ Bucket: 'made-by-client' }));
    expect(KeyCount).toBe(0);
  });

  test.each([
    ['GET', 'dumps?versioning', {}],
    ['GET', 'dumps?list-type=2&fetch-owner=true', {}],
    ['DELETE', 'dumps', {}],
    ['GET', 'dumps/key?versionId=1', {}],
    ['GET', 'dumps/key', { 'if-none-match': '"x"' }],
    ['PUT', 'dumps/key', { 'if-none-match': '"x"' }],
    ['PUT', 'dumps/key', { 'if-match': '"x"' }],
    ['PUT', 'dumps/key', { 'x-amz-copy-source': '/dumps/other' }],
    ['PUT', 'dumps/key', { 'x-amz-checksum-crc32c': 'AAAAAA==' }],
  ])('refuses what it does not implement: %s %s %j', async (method, path, headers) => {
    const answer = await fetch(`${bucket.server.endpoint}/${path}`, { method, headers });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('<Code>NotImplemented</Code>');
  });
});
