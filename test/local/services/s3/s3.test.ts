import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { sendError } from '../../../../local/services/s3/response.ts';
import { type S3Server, startS3 } from '../../../../local/services/s3/s3.ts';

const MIB = 1024 * 1024;

let directory: string;
let server: S3Server;
let s3: S3Client;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  server = await startS3({ directory });
  s3 = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
  await server.createBucket('dumps');
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
  await rm(directory, { recursive: true });
});

async function crc64nvme(body: Uint8Array): Promise<string> {
  const checksum = new Crc64Nvme();
  checksum.update(body);
  return Buffer.from(await checksum.digest()).toString('base64');
}

function crc32InBase64(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

async function put(Key: string, Body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body }));
}

async function read(key: string): Promise<string | undefined> {
  return (await s3.send(new GetObjectCommand({ Bucket: 'dumps', Key: key }))).Body?.transformToString();
}

describe('an object', () => {
  test.each(['plain.dmp', 'prod/orders-20261122T080000Z.dmp', 'größe und länge/日本 (1)+&=%41.dmp', "quote's.dmp"])(
    'under the key %s can be read over S3 and at that path',
    async (key) => {
      await put(key, `body of ${key}`);
      expect(await read(key)).toBe(`body of ${key}`);
      expect(await readFile(join(directory, 'dumps', key), 'utf8')).toBe(`body of ${key}`);
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
    await put(key, `body of ${key}`);
    expect(await read(key)).toBe(`body of ${key}`);
    expect(await readFile(join(directory, 'dumps', file), 'utf8')).toBe(`body of ${key}`);
    expect(server.fileOf('dumps', key)).toBe(join(directory, 'dumps', file));
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'dumps', Prefix: key }));
    expect(Contents?.map(({ Key }) => Key)).toContain(key);
    await s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: key }));
    await expect(read(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(access(join(directory, 'dumps', file))).rejects.toMatchObject({ code: 'ENOENT' });
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
      await put(key, 'first');
      await put(key, `body of ${key}`);
    }
    for (const key of keys) {
      expect(await read(key)).toBe(`body of ${key}`);
      expect(await readFile(server.fileOf('dumps', key) ?? '', 'utf8')).toBe(`body of ${key}`);
    }
    for (const key of keys) {
      await s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: key }));
      await expect(read(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    }
  });

  test('cannot have a key of more than 1,024 bytes', async () => {
    await expect(put('ü'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  test('keeps its metadata, and the checksum that it was uploaded with', async () => {
    const Body = Buffer.from('some bytes');
    await s3.send(
      new PutObjectCommand({ Bucket: 'dumps', Key: 'meta', Body, ContentType: 'text/x', Metadata: { of: 'mine' } }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: 'meta', ChecksumMode: 'ENABLED' }));
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
    const sent = await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body: 'body', ChecksumAlgorithm }));
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key, ChecksumMode: 'ENABLED' }));
    const field = `Checksum${ChecksumAlgorithm}` as const;
    expect(head[field]).toMatch(/^[\w+/]+=*$/);
    expect(sent[field]).toBe(head[field]);
  });

  test('that comes without a checksum gets the CRC64NVME of S3', async () => {
    await fetch(`${server.endpoint}/dumps/bare`, { method: 'PUT', body: 'some bytes' });
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: 'bare', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumCRC64NVME).toBe(await crc64nvme(Buffer.from('some bytes')));
  });

  test.each([
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=0-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=4-2', 200, 'abcdefghij', null],
    ['lines=1-2', 200, 'abcdefghij', null],
  ])('is read by the range %s', async (range, status, body, contentRange) => {
    await put('range', 'abcdefghij');
    const answer = await fetch(`${server.endpoint}/dumps/range`, { headers: { range } });
    expect([answer.status, await answer.text()]).toEqual([status, body]);
    expect(answer.headers.get('content-range')).toBe(contentRange);
  });

  test.each([
    ['ten', 'bytes=10-'],
    ['ten', 'bytes=-0'],
    ['empty', 'bytes=0-0'],
  ])('of %s bytes cannot be read by the range %s', async (size, range) => {
    await put('short', size === 'ten' ? 'abcdefghij' : '');
    const answer = await fetch(`${server.endpoint}/dumps/short`, { headers: { range } });
    expect(answer.status).toBe(416);
    expect(await answer.text()).toContain('<Code>InvalidRange</Code>');
  });

  test('may be empty', async () => {
    await put('empty', '');
    expect(await read('empty')).toBe('');
  });

  test('is read only while its ETag matches', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'match', Body: 'first' }));
    const get = new GetObjectCommand({ Bucket: 'dumps', Key: 'match', IfMatch: ETag });
    expect(await (await s3.send(get)).Body?.transformToString()).toBe('first');
    await put('match', 'second');
    await expect(s3.send(get)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('stays whole for whoever reads it while it is replaced', async () => {
    const first = 'a'.repeat(4 * MIB);
    await put('replaced', first);
    const reading = await s3.send(new GetObjectCommand({ Bucket: 'dumps', Key: 'replaced' }));
    await put('replaced', 'second');
    expect((await reading.Body?.transformToString()) === first).toBe(true);
    expect(await read('replaced')).toBe('second');
  });

  test('may be a stream whose checksum follows in a trailer', async () => {
    const body = Buffer.alloc(3 * MIB, 'stream');
    await s3.send(
      new PutObjectCommand({
        Bucket: 'dumps',
        Key: 'stream',
        Body: Readable.from([body.subarray(0, 100), body.subarray(100)]),
        ContentLength: body.length,
        ChecksumAlgorithm: 'CRC64NVME',
      }),
    );
    expect(body.equals(await readFile(join(directory, 'dumps', 'stream')))).toBe(true);
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
    const answer = await fetch(`${server.endpoint}/dumps/bad`, { method: 'PUT', headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>BadDigest</Code>');
    await expect(read('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    ['IncompleteBody', '4\r\nbody\r\n'],
    ['IncompleteBody', '8\r\nbody'],
    ['InvalidRequest', 'no size\r\n'],
  ])('is refused with %s if aws-chunked encodes it as %j', async (code, body) => {
    const headers = { 'content-encoding': 'aws-chunked' };
    const answer = await fetch(`${server.endpoint}/dumps/bad`, { method: 'PUT', headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
    await expect(read('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('is never replaced by a conditional write', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'once', Body: 'first', IfNoneMatch: '*' }));
    const second = s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'once', Body: 'second', IfNoneMatch: '*' }));
    await expect(second).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await read('once')).toBe('first');
  });

  test('is created by exactly one of several concurrent conditional writes', async () => {
    const bodies = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(MIB));
    const writes = bodies.map((Body) =>
      s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'race', Body, IfNoneMatch: '*' })),
    );
    const settled = await Promise.allSettled(writes);
    const won = bodies.filter((_, index) => settled[index]?.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect((await read('race')) === won[0]).toBe(true);
    for (const write of settled) {
      if (write.status === 'rejected') {
        expect(write.reason).toMatchObject({ name: 'PreconditionFailed' });
      }
    }
  });

  test('is replaced by an unconditional write, and so is its file', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'first' }));
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'second' }));
    expect(await readFile(join(directory, 'dumps', 'twice'), 'utf8')).toBe('second');
  });

  test('does not exist after an upload that was broken off', async () => {
    const half = request(`${server.endpoint}/dumps/half`, { method: 'PUT', headers: { 'content-length': 1000 } });
    half.on('error', () => undefined);
    half.write('half of it');
    await once(half, 'socket');
    half.destroy();
    await expect(read('half')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(directory, 'dumps'))).not.toContain('half');
  });

  test('is deleted with its file and the folders that are empty then', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'deleted/soon', Body: 'x' }));
    await s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: 'deleted/soon' }));
    await expect(read('deleted/soon')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(directory, 'dumps'))).not.toContain('deleted');
  });

  test('needs its bucket', async () => {
    const put = s3.send(new PutObjectCommand({ Bucket: 'nowhere', Key: 'x', Body: 'x' }));
    await expect(put).rejects.toMatchObject({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
  });

  test('is listed by prefix', async () => {
    for (const Key of ['list/a b', 'list/ü', 'other']) {
      await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key, Body: '12345' }));
    }
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'dumps', Prefix: 'list/' }));
    expect(Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['list/a b', 5],
      ['list/ü', 5],
    ]);
  });

  test.each([
    ['/dumps/../../escaped', '../../escaped'],
    ['/dumps/%2e%2e/%2e%2e/escaped', '../../escaped'],
    ['/dumps/a/%2e%2e%2f%2e%2e%2f%2e%2e%2fescaped', 'a/../../../escaped'],
  ])('cannot leave the directory by the URL %s', async (path, key) => {
    expect(await statusOf('PUT', path)).toBe(200);
    expect(server.fileOf('dumps', key)).toMatch(new RegExp(`^${directory}/dumps/.*%\\.\\./escaped$`));
  });

  test.each([
    ['/%2e%2e/escaped', 400],
    ['/.index/dumps', 400],
    ['//escaped', 501],
    ['/dumps/%ff', 400],
  ])('is refused at the URL %s', async (path, status) => {
    expect(await statusOf('PUT', path)).toBe(status);
  });

  async function statusOf(method: string, path: string): Promise<number> {
    const sent = request({ ...hostOf(server), path, method }).end('x');
    const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    return response.statusCode;
  }
});

describe('a multipart upload', () => {
  const parts = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(5 * MIB, 'b'), Buffer.from('the end')];
  const whole = Buffer.concat(parts);

  async function uploadParts(
    Key: string,
    options: Pick<CreateMultipartUploadCommandInput, 'ChecksumAlgorithm' | 'ChecksumType'> = {},
  ): Promise<{ UploadId: string | undefined; Parts: object[] }> {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'dumps', Key, ...options }));
    const Parts = await Promise.all(
      parts.map(async (Body, index) => {
        const PartNumber = index + 1;
        const part = await s3.send(new UploadPartCommand({ Bucket: 'dumps', Key, UploadId, PartNumber, Body }));
        return { PartNumber, ETag: part.ETag };
      }),
    );
    return { UploadId, Parts };
  }

  async function open(): Promise<(string | undefined)[]> {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'dumps' }));
    return Uploads.map(({ Key }) => Key);
  }

  test('becomes an object only when it is completed', async () => {
    const { UploadId, Parts } = await uploadParts('parts');
    await expect(read('parts')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await open()).toEqual(['parts']);
    const done = await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: 'dumps',
        Key: 'parts',
        UploadId,
        MultipartUpload: { Parts },
        ChecksumCRC64NVME: await crc64nvme(whole),
        ChecksumType: 'FULL_OBJECT',
        IfNoneMatch: '*',
      }),
    );
    expect(done).toMatchObject({ Key: 'parts', ChecksumCRC64NVME: await crc64nvme(whole) });
    expect(whole.equals(await readFile(join(directory, 'dumps', 'parts')))).toBe(true);
    expect(await open()).toEqual([]);
  });

  test.each([
    ['full-object CRC32', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const, crc32InBase64(whole)],
    [
      'composite CRC32',
      { ChecksumAlgorithm: 'CRC32' } as const,
      `${crc32InBase64(Buffer.concat(parts.map((part) => Buffer.from(crc32InBase64(part), 'base64'))))}-3`,
    ],
  ])('has a %s', async (name, options, ChecksumCRC32) => {
    const { UploadId, Parts } = await uploadParts(name, options);
    const complete = { Bucket: 'dumps', Key: name, UploadId, MultipartUpload: { Parts } };
    for (const wrong of [{ ChecksumCRC32: 'AAAAAA==' }, { ChecksumCRC64NVME: await crc64nvme(whole) }]) {
      await expect(s3.send(new CompleteMultipartUploadCommand({ ...complete, ...wrong }))).rejects.toMatchObject({
        name: 'BadDigest',
      });
    }
    const ChecksumType = 'ChecksumType' in options ? options.ChecksumType : 'COMPOSITE';
    const done = await s3.send(new CompleteMultipartUploadCommand({ ...complete, ChecksumCRC32, ChecksumType }));
    expect(done).toMatchObject({ ChecksumCRC32, ChecksumType });
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: name, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32, ChecksumType, ContentLength: whole.length, ETag: done.ETag });
  });

  test('belongs to one key', async () => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'dumps', Key: 'mine' }));
    const abort = (Key: string) => s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key, UploadId }));
    await expect(abort('other')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await abort('mine');
  });

  test('can be made by lib-storage', async () => {
    const upload = new Upload({
      client: s3,
      params: { Bucket: 'dumps', Key: 'lib', Body: Readable.from(parts), ChecksumAlgorithm: 'CRC64NVME' },
    });
    await upload.done();
    expect(whole.equals(await readFile(join(directory, 'dumps', 'lib')))).toBe(true);
  });

  test('is refused, and stays open, if its checksum is wrong or the key is taken', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'taken', Body: 'first' }));
    const { UploadId, Parts } = await uploadParts('taken');
    const complete = { Bucket: 'dumps', Key: 'taken', UploadId, MultipartUpload: { Parts } };
    await expect(
      s3.send(new CompleteMultipartUploadCommand({ ...complete, ChecksumCRC64NVME: 'AAAAAAAAAAA=' })),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(s3.send(new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch: '*' }))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await read('taken')).toBe('first');
    expect(await open()).toEqual(['taken']);
    await s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'taken', UploadId }));
    expect(await open()).toEqual([]);
  });

  test('is refused with parts that were not uploaded', async () => {
    const { UploadId } = await uploadParts('missing');
    await expect(
      s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: 'dumps',
          Key: 'missing',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 4, ETag: '"00"' }] },
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidPart' });
    await s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'missing', UploadId }));
    await expect(
      s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'missing', UploadId })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
});

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
    await s3.send(new CreateBucketCommand({ Bucket: 'made-by-client' }));
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: 'made-by-client' }));
    expect(KeyCount).toBe(0);
  });

  test.each([
    ['GET', 'dumps?versioning', {}],
    ['GET', 'dumps?list-type=2&delimiter=/', {}],
    ['DELETE', 'dumps', {}],
    ['GET', 'dumps/key?versionId=1', {}],
    ['GET', 'dumps/key', { 'if-none-match': '"x"' }],
    ['PUT', 'dumps/key', { 'if-none-match': '"x"' }],
    ['PUT', 'dumps/key', { 'if-match': '"x"' }],
    ['PUT', 'dumps/key', { 'x-amz-copy-source': '/dumps/other' }],
    ['PUT', 'dumps/key', { 'x-amz-checksum-crc32c': 'AAAAAA==' }],
  ])('refuses what it does not implement: %s %s %j', async (method, path, headers) => {
    const answer = await fetch(`${server.endpoint}/${path}`, { method, headers });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('<Code>NotImplemented</Code>');
  });
});

function hostOf({ endpoint }: S3Server): { host: string; port: string } {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port };
}
