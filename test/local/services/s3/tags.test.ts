import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ServedBucket } from './served-bucket.ts';

let bucket: ServedBucket;
const Bucket = 'dumps';

beforeAll(async () => {
  bucket = await ServedBucket.start();
});

afterAll(() => bucket.stop());

async function tagsOf(Key: string): Promise<unknown> {
  return (await bucket.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;
}

test('an object gets its tags and storage class when it is created, and other tags later', async () => {
  const Key = 'a/b.dmp';
  const Tagging = 'autodump%3Aretention=35&a=';
  await bucket.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging, StorageClass: 'STANDARD_IA' }));
  expect(await tagsOf(Key)).toEqual([
    { Key: 'autodump:retention', Value: '35' },
    { Key: 'a', Value: '' },
  ]);
  expect(await bucket.s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({ StorageClass: 'STANDARD_IA' });
  const { Contents } = await bucket.s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
  expect(Contents).toMatchObject([{ Key, StorageClass: 'STANDARD_IA' }]);
  const TagSet = [{ Key: 'k', Value: 'kept' }];
  await bucket.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
  expect(await tagsOf(Key)).toEqual(TagSet);
  expect(await bucket.read(Key)).toBe('x');
});

test('an upload in parts has those that it was begun with', async () => {
  const Key = 'parts.dmp';
  const { UploadId } = await bucket.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, Tagging: 'a=b' }));
  const { ETag } = await bucket.s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: Buffer.from('x') }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await bucket.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  expect(await tagsOf(Key)).toEqual([{ Key: 'a', Value: 'b' }]);
});

test('an object without tags has none, and a missing one cannot be tagged', async () => {
  await bucket.put('bare', 'x');
  expect(await tagsOf('bare')).toEqual([]);
  const Tagging = { TagSet: [] };
  await expect(bucket.s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'none', Tagging }))).rejects.toMatchObject({
    name: 'NoSuchKey',
  });
});

test.each(['a=b&a=c', 'a=*', '=b', `${'k'.repeat(129)}=`, 'a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1'])(
  'tags that S3 refuses are refused: %s',
  async (Tagging) => {
    await expect(
      bucket.s3.send(new PutObjectCommand({ Bucket, Key: 'refused', Body: 'x', Tagging })),
    ).rejects.toMatchObject({ name: 'InvalidTag' });
  },
);
