import { CompleteMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { isTaken } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import type { Checksums } from './checksum.ts';
import { etagOfBytes, etagOfParts } from './etag.ts';
import { findDump } from './find-dump.ts';
import type { Part } from './part.ts';
import { type CompleteUpload, CONTENT_TYPE, type Transfer, uploadFailure, type UploadTarget } from './transfer.ts';

/**
 * Sends the first part and creates the object, unless the key is taken.
 *
 * @param checksums of the whole dump
 * @returns `taken` if another run has created the object
 * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 stored bytes other than the proven ones
 */
export async function commit(
  target: UploadTarget,
  transfer: Transfer,
  first: Part,
  checksums: Checksums,
): Promise<'committed' | 'taken'> {
  const upload = await transfer.finish(first);
  let stored: string | undefined;
  try {
    stored = await (upload === undefined
      ? putObject(target, transfer, first, checksums)
      : completeUpload(target, upload, checksums));
  } catch (error) {
    const failure = uploadFailure(target.object, error);
    const isAnswerInDoubt = failure instanceof Failure && (failure.reason === 'tryAgain' || isTaken(error));
    if (isAnswerInDoubt && (await isCommitted(target, upload, first, checksums))) {
      log('S3 has the dump, although its response was lost.');
      return 'committed';
    }
    if (isTaken(error)) {
      return 'taken';
    }
    throw failure;
  }
  if (stored !== undefined && stored !== checksums.crc32) {
    const { bucket, key } = target.object;
    throw new Failure(
      'verificationFailed',
      `s3://${bucket}/${key} has the CRC32 ${stored}, but the proven dump has ${checksums.crc32}. Do not rely on this object.`,
    );
  }
  return 'committed';
}

/**
 * Whether the object is the one that this run sent, which its ETag tells. The answer to a commit can be lost, and the
 * next attempt then finds the key taken by the previous one.
 */
async function isCommitted(
  { s3, object, signal }: UploadTarget,
  upload: CompleteUpload | undefined,
  first: Part,
  { bytes }: Checksums,
): Promise<boolean> {
  const found = await findDump(s3, object, signal).catch(() => undefined);
  if (found?.bytes !== bytes) {
    return false;
  }
  return found.etag === (upload === undefined ? await etagOfBytes(first) : etagOfParts(upload.parts));
}

/** Sends a dump of a single part. The signal does not interrupt an attempt: its outcome would be unknown. */
async function putObject(
  { s3, object }: UploadTarget,
  transfer: Transfer,
  part: Part,
  { sha256, crc32 }: Checksums,
): Promise<string | undefined> {
  const { ChecksumCRC32: stored } = await transfer.send(part, (body, broken) =>
    s3.send(
      new PutObjectCommand({
        Bucket: object.bucket,
        Key: object.key,
        Body: body,
        ContentLength: part.bytes,
        ContentType: CONTENT_TYPE,
        IfNoneMatch: '*',
        ChecksumCRC32: crc32,
        Metadata: { sha256 },
      }),
      { abortSignal: broken },
    ),
  );
  return stored;
}

/** Like {@link putObject}, not interrupted by the signal. */
async function completeUpload(
  { s3, object }: UploadTarget,
  { id, parts }: CompleteUpload,
  { bytes, crc32 }: Checksums,
): Promise<string | undefined> {
  const { ChecksumCRC32: stored } = await s3.send(
    new CompleteMultipartUploadCommand({
      Bucket: object.bucket,
      Key: object.key,
      UploadId: id,
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
      MpuObjectSize: bytes,
      IfNoneMatch: '*',
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC32: crc32,
    }),
  );
  return stored;
}
