import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
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

async function read(key: string): Promise<string | undefined> {
  return (await s3.send(new GetObjectCommand({ Bucket: 'dumps', Key: key }))).Body?.transformToString();
}

describe('an object', () => {
  test.each(['plain.dmp', 'prod/orders-20261122T080000Z.dmp', 'größe und länge/日本 (1)+&=%41.dmp', "quote's.dmp"])(
    'under the key %s reads back, over S3 and as a plain file',
    async (key) => {
      await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: key, Body: `body of ${key}` }));
      expect(await read(key)).toBe(`body of ${key}`);
      expect(await readFile(join(directory, 'dumps', key), 'utf8')).toBe(`body of ${key}`);
    },
  );

  test('keeps its metadata and answers its full-object checksum', async () => {
    const Body = Buffer.from('some bytes');
    await s3.send(
      new PutObjectCommand({ Bucket: 'dumps', Key: 'meta', Body, ContentType: 'text/x', Metadata: { of: 'mine' } }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: 'meta', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentLength: Body.length,
      ContentType: 'text/x',
      Metadata: { of: 'mine' },
      ChecksumCRC64NVME: await crc64nvme(Body),
      ChecksumType: 'FULL_OBJECT',
    });
  });

  test('may come as a stream with its checksum behind it', async () => {
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

  test('is refused if its checksum is not that of its body', async () => {
    const put = await fetch(`${server.endpoint}/dumps/bad`, {
      method: 'PUT',
      headers: { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' },
      body: 'body',
    });
    expect(put.status).toBe(400);
    expect(await put.text()).toContain('<Code>BadDigest</Code>');
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

  test('is made by one of two conditional writes at the same time', async () => {
    const writes = ['one', 'two'].map((Body) =>
      s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'race', Body, IfNoneMatch: '*' })),
    );
    const settled = await Promise.allSettled(writes);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('is replaced by an unconditional write, in the plain file too', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'first' }));
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'twice', Body: 'second' }));
    expect(await readFile(join(directory, 'dumps', 'twice'), 'utf8')).toBe('second');
  });

  test('is not there after an upload that broke off', async () => {
    const half = request(`${server.endpoint}/dumps/half`, { method: 'PUT', headers: { 'content-length': 1000 } });
    half.on('error', () => undefined);
    half.write('half of it');
    await once(half, 'socket');
    half.destroy();
    await expect(read('half')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(directory, 'dumps'))).not.toContain('half');
  });

  test('is deleted with its plain file', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'gone/soon', Body: 'x' }));
    await s3.send(new DeleteObjectCommand({ Bucket: 'dumps', Key: 'gone/soon' }));
    await expect(read('gone/soon')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await readdir(join(directory, 'dumps'))).not.toContain('gone');
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

  test.each(['/dumps/../../escaped', '/dumps/%2e%2e/%2e%2e/escaped', '/dumps/a/%2e%2e%2f%2e%2e%2f%2e%2e%2fescaped'])(
    'can not leave the directory by %s',
    async (pathname) => {
      const sent = request({ ...hostOf(server), path: pathname, method: 'PUT' }).end('x');
      const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
      response.resume();
      expect(response.statusCode).toBe(400);
    },
  );
});

describe('an upload in parts', () => {
  const parts = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(5 * MIB, 'b'), Buffer.from('the end')];
  const whole = Buffer.concat(parts);

  async function uploadParts(Key: string): Promise<{ UploadId: string | undefined; Parts: object[] }> {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'dumps', Key }));
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

  test('is made by lib-storage', async () => {
    const upload = new Upload({
      client: s3,
      params: { Bucket: 'dumps', Key: 'lib', Body: Readable.from(parts), ChecksumAlgorithm: 'CRC64NVME' },
    });
    await upload.done();
    expect(whole.equals(await readFile(join(directory, 'dumps', 'lib')))).toBe(true);
  });

  test('is refused, and stays open, if the checksum of the whole is wrong or the key is taken', async () => {
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
    const { UploadId } = await uploadParts('odd');
    await expect(
      s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: 'dumps',
          Key: 'odd',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 4, ETag: '"00"' }] },
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidPart' });
    await s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'odd', UploadId }));
    await expect(
      s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'odd', UploadId })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
});

describe('the server', () => {
  test('takes a body in and tells the reason where it can not store it', async () => {
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

  test('calls a full disk by its name', async () => {
    const full = createServer((_request, response) => {
      sendError(response, new Error('ENOSPC: no space left on device, write'));
    });
    await once(full.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = z.object({ port: z.number() }).parse(full.address());
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      expect(answer.status).toBe(507);
      expect(await answer.text()).toContain('The disk that stands for S3 is full');
    } finally {
      full.close();
    }
  });

  test('serves what an earlier one stored in the same directory', async () => {
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

  test('takes buckets from S3 clients, and says no to operations it does not know', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'made-by-client' }));
    const answer = await fetch(`${server.endpoint}/made-by-client?versioning`);
    expect(answer.status).toBe(501);
  });
});

function hostOf({ endpoint }: S3Server): { host: string; port: string } {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port };
}
