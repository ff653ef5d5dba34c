import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crc32InBase64, crc64nvme, MIB, ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

describe('a multipart upload', () => {
  const parts = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(5 * MIB, 'b'), Buffer.from('the end')];
  const whole = Buffer.concat(parts);

  async function uploadParts(
    Key: string,
    options: Pick<CreateMultipartUploadCommandInput, 'ChecksumAlgorithm' | 'ChecksumType'> = {},
  ): Promise<{ UploadId: string | undefined; Parts: object[] }> {
    const { UploadId } = await bucket.s3.send(new CreateMultipartUploadCommand({ Bucket: 'dumps', Key, ...options }));
    const Parts = await Promise.all(
      parts.map(async (Body, index) => {
        const PartNumber = index + 1;
        const part = await bucket.s3.send(new UploadPartCommand({ Bucket: 'dumps', Key, UploadId, PartNumber, Body }));
        return { PartNumber, ETag: part.ETag };
      }),
    );
    return { UploadId, Parts };
  }

  async function open(): Promise<(string | undefined)[]> {
    const { Uploads = [] } = await bucket.s3.send(new ListMultipartUploadsCommand({ Bucket: 'dumps' }));
    return Uploads.map(({ Key }) => Key);
  }

  test('becomes an object only when it is completed', async () => {
    const { UploadId, Parts } = await uploadParts('parts');
    await expect(bucket.read('parts')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await open()).toEqual(['parts']);
    const done = await bucket.s3.send(
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
    expect(whole.equals(await readFile(join(bucket.directory, 'dumps', 'parts')))).toBe(true);
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
      await expect(bucket.s3.send(new CompleteMultipartUploadCommand({ ...complete, ...wrong }))).rejects.toMatchObject(
        {
          name: 'BadDigest',
        },
      );
    }
    const ChecksumType = 'ChecksumType' in options ? options.ChecksumType : 'COMPOSITE';
    const done = await bucket.s3.send(new CompleteMultipartUploadCommand({ ...complete, ChecksumCRC32, ChecksumType }));
    expect(done).toMatchObject({ ChecksumCRC32, ChecksumType });
    const head = await bucket.s3.send(new HeadObjectCommand({ Bucket: 'dumps', Key: name, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32, ChecksumType, ContentLength: whole.length, ETag: done.ETag });
  });

  test('lists its parts by their numbers, each as it was sent last', async () => {
    const options = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
    const { UploadId } = await uploadParts('listed', options);
    const target = { Bucket: 'dumps', Key: 'listed', UploadId };
    await bucket.s3.send(new UploadPartCommand({ ...target, PartNumber: 1, Body: 'anew' }));
    const list = (MaxParts?: number) => bucket.s3.send(new ListPartsCommand({ ...target, MaxParts }));
    const first = { PartNumber: 1, Size: 4, ChecksumCRC32: crc32InBase64(Buffer.from('anew')) };
    expect(await list(1)).toMatchObject({ IsTruncated: true, Parts: [first] });
    expect(await list()).toMatchObject({ IsTruncated: false, Parts: [first, { PartNumber: 2 }, { PartNumber: 3 }] });
    await bucket.s3.send(new AbortMultipartUploadCommand(target));
    await expect(list()).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('belongs to one key', async () => {
    const { UploadId } = await bucket.s3.send(new CreateMultipartUploadCommand({ Bucket: 'dumps', Key: 'mine' }));
    const abort = (Key: string) => bucket.s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key, UploadId }));
    await expect(abort('other')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await abort('mine');
  });

  test('can be made by lib-storage', async () => {
    const upload = new Upload({
      client: bucket.s3,
      params: { Bucket: 'dumps', Key: 'lib', Body: Readable.from(parts), ChecksumAlgorithm: 'CRC64NVME' },
    });
    await upload.done();
    expect(whole.equals(await readFile(join(bucket.directory, 'dumps', 'lib')))).toBe(true);
  });

  test('is refused, and stays open, if its checksum is wrong or the key is taken', async () => {
    await bucket.s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: 'taken', Body: 'first' }));
    const { UploadId, Parts } = await uploadParts('taken');
    const complete = { Bucket: 'dumps', Key: 'taken', UploadId, MultipartUpload: { Parts } };
    await expect(
      bucket.s3.send(new CompleteMultipartUploadCommand({ ...complete, ChecksumCRC64NVME: 'AAAAAAAAAAA=' })),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(
      bucket.s3.send(new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch: '*' })),
    ).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await bucket.read('taken')).toBe('first');
    expect(await open()).toEqual(['taken']);
    await bucket.s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'taken', UploadId }));
    expect(await open()).toEqual([]);
  });

  test('is refused if the numbers of its parts are not consecutive', async () => {
    const { UploadId, Parts } = await uploadParts('gap');
    const complete = (...chosen: readonly (object | undefined)[]) => {
      const MultipartUpload = { Parts: chosen.filter((part) => part !== undefined) };
      return bucket.s3.send(
        new CompleteMultipartUploadCommand({ Bucket: 'dumps', Key: 'gap', UploadId, MultipartUpload }),
      );
    };
    const [one, two, three] = Parts;
    for (const chosen of [
      [two, three],
      [one, three],
    ]) {
      await expect(complete(...chosen)).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    }
    await complete(one, two);
  });

  test('is refused with parts that were not uploaded', async () => {
    const { UploadId } = await uploadParts('missing');
    await expect(
      bucket.s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: 'dumps',
          Key: 'missing',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 4, ETag: '"00"' }] },
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidPart' });
    await bucket.s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'missing', UploadId }));
    await expect(
      bucket.s3.send(new AbortMultipartUploadCommand({ Bucket: 'dumps', Key: 'missing', UploadId })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
});
