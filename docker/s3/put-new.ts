import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isTaken } from '../aws.ts';
import { checkStored } from './check-stored.ts';
import { crc32InBase64 } from './checksum.ts';
import { etagOfBytes } from './etag.ts';
import { type DumpObject, taggingOf } from './object.ts';

const UNINTERRUPTED = new AbortController().signal;

/** Writes an object in JSON, as {@link putNewText} does. */
export async function putNew(s3: S3Client, object: DumpObject, contents: object): Promise<'written' | 'taken'> {
  return putNewText(s3, object, `${JSON.stringify(contents, null, 2)}\n`, 'application/json');
}

/**
 * Writes a small object in the default storage class, unless it already exists. Takes no signal: it completes what is
 * done. Errors of the SDK pass through.
 *
 * @throws {Failure} `verificationFailed` if S3 stored other bytes
 */
export async function putNewText(
  s3: S3Client,
  object: DumpObject,
  text: string,
  type: string,
): Promise<'written' | 'taken'> {
  const { bucket, key } = object;
  const body = Buffer.from(text);
  const checksum = crc32InBase64(crc32(body));
  try {
    const { ChecksumCRC32: stored } = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: type,
        Tagging: taggingOf(object),
        IfNoneMatch: '*',
        ChecksumCRC32: checksum,
      }),
    );
    const sent = { bytes: body.length, crc32: checksum, etag: () => etagOfBytes(Readable.from([body])) };
    await checkStored(s3, { bucket, key }, stored, sent, UNINTERRUPTED);
    return 'written';
  } catch (error) {
    if (isTaken(error)) {
      return 'taken';
    }
    throw error;
  }
}
