import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure.ts';
import { findDump } from './find-dump.ts';
import type { DumpObject } from './object.ts';

/** What S3 was sent. */
interface Sent {
  readonly bytes: number;
  /** In S3's form. */
  readonly crc32: string;
  /** Calculates the ETag that the object has without a KMS key. */
  readonly etag: () => string | Promise<string>;
}

/**
 * Compares what S3 says that it stored with what it was sent. S3 responds with the checksum that it was sent. Without
 * one, the object must at least be there, with the ETag of what was sent.
 *
 * @param stored the CRC32 in S3's response
 * @throws {Failure} `verificationFailed` if it differs, `tryAgain` if it is not there
 */
export async function checkStored(
  s3: S3Client,
  object: DumpObject,
  stored: string | undefined,
  { bytes, crc32, etag }: Sent,
  signal: AbortSignal,
): Promise<void> {
  const name = `s3://${object.bucket}/${object.key}`;
  if (stored === undefined) {
    const found = await findDump(s3, object, signal);
    if (found?.bytes !== bytes || found.etag !== (await etag())) {
      throw new Failure(
        'tryAgain',
        `S3 confirmed the upload without a checksum, and ${found === undefined ? 'does not list' : 'lists other bytes at'} ${name}.`,
      );
    }
  } else if (stored !== crc32) {
    throw new Failure(
      'verificationFailed',
      `${name} has the CRC32 ${stored}, but the bytes that were sent have ${crc32}. Do not rely on this object.`,
    );
  }
}
