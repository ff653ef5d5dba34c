import { CompleteMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { isTaken } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { checkStored } from './check-stored.ts';
import type { Checksums } from './checksum.ts';
import { etagOfBytes, etagOfParts } from './etag.ts';
import { findDump } from './find-dump.ts';
import { taggingOf } from './object.ts';
import type { Part } from './part/part.ts';
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
    const isInDoubt = failure instanceof Failure && (failure.reason === 'tryAgain' || isTaken(error));
    if (isInDoubt && (await isOwn(target, transfer, upload, first, checksums))) {
      log('S3 has the dump, although its response was lost.');
      return 'committed';
    }
    if (isTaken(error)) {
      return 'taken';
    }
    throw failure;
  }
  const { bytes, crc32 } = checksums;
  const etag = () => (upload === undefined ? etagOfBytes(first.open()) : etagOfParts(upload.parts));
  await checkStored(target.s3, target.object, stored, { bytes, crc32, etag }, target.signal);
  return 'committed';
}

/**
 * Whether this run created the object. The response to a commit can be lost, and the next attempt then finds the key
 * taken by the previous one. Another run may have sent the same bytes, so they do not tell. An upload in parts does: S3
 * has it no longer once it is completed, and nobody else completes or aborts it. Asking S3 to abort it is how to find
 * out.
 */
async function isOwn(
  target: UploadTarget,
  transfer: Transfer,
  upload: CompleteUpload | undefined,
  first: Part,
  { bytes }: Checksums,
): Promise<boolean> {
  const mayBeOwn = upload === undefined ? transfer.lostResponse : (await transfer.abort()) === 'closed';
  if (!mayBeOwn) {
    return false;
  }
  const found = await findDump(target.s3, target.object, target.signal).catch(() => undefined);
  return found?.bytes === bytes && (upload !== undefined || found.etag === (await etagOfBytes(first.open())));
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
        Tagging: taggingOf(object),
        StorageClass: object.storageClass,
        IfNoneMatch: '*',
        ChecksumCRC32: crc32,
        ...(sha256 === null ? {} : { Metadata: { sha256 } }),
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
