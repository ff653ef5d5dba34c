import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { awsFailure, foreignResponse } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { crc32InBase64 } from './checksum.ts';
import type { DumpObject } from './object.ts';

/**
 * Marks an upload as that of a Batch job, by sending the job's ID as part 1. The first part of the dump is sent last,
 * and replaces it: S3 keeps of each part number what was sent last. Source: Amazon S3 API reference, UploadPart
 *
 * An upload has no other place for a name that S3 would show to its writer: it lists neither metadata nor tags.
 */
export async function markUpload(
  s3: S3Client,
  { bucket, key }: DumpObject,
  uploadId: string,
  job: string,
): Promise<void> {
  await s3.send(
    new UploadPartCommand({
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: 1,
      Body: job,
      ChecksumCRC32: markOf(job),
    }),
  );
}

/** ETags are no checksums in a bucket that is encrypted with a KMS key. */
function markOf(job: string): string {
  return crc32InBase64(crc32(job));
}

/**
 * Aborts the uploads that killed attempts of this Batch job have left open: Batch never runs two attempts of one job at
 * once, so whatever bears the job's mark is left over.
 *
 * Neither the key nor the execution is enough to know that. A job can be submitted twice, by a person or by a retry
 * whose first call was answered too late, and an attempt must not abort the upload of a job that is running. Their
 * uploads, and those of which the first part was sent already, are left to the lifecycle rule of the bucket.
 *
 * A failure is logged: what was left over costs space and prevents nothing.
 */
export async function abortEarlierUploads(
  s3: S3Client,
  object: DumpObject,
  job: string,
  signal: AbortSignal,
): Promise<void> {
  const { bucket, key } = object;
  try {
    // The key itself sorts first, and S3 returns a thousand.
    const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key });
    const { Bucket: listedBucket, Uploads: uploads = [] } = await s3.send(command, { abortSignal: signal });
    if (listedBucket !== bucket) {
      throw foreignResponse(`list the uploads to s3://${bucket}/${key}`);
    }
    for (const { Key, UploadId } of uploads) {
      if (Key === key && UploadId !== undefined && (await hasMark(s3, object, UploadId, job, signal))) {
        await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }));
        log('Aborted an upload that an earlier attempt of this job had left open.');
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = awsFailure(`look for uploads that earlier attempts left open at s3://${bucket}/${key}`, error);
    if (!(failure instanceof Failure)) {
      throw failure;
    }
    log(`Warning: ${failure.message}`);
  }
}

async function hasMark(
  s3: S3Client,
  { bucket, key }: DumpObject,
  uploadId: string,
  job: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const command = new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, MaxParts: 1 });
    const { Parts: [first] = [] } = await s3.send(command, { abortSignal: signal });
    return first?.PartNumber === 1 && first.Size === Buffer.byteLength(job) && first.ChecksumCRC32 === markOf(job);
  } catch (error) {
    // Another job has completed or aborted it in the meantime.
    if (error instanceof S3ServiceException && error.name === 'NoSuchUpload') {
      return false;
    }
    throw error;
  }
}
