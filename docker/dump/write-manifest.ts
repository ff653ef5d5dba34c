import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsFailure, isTaken } from '../aws.ts';
import { checkStored } from '../s3/check-stored.ts';
import { crc32InBase64 } from '../s3/checksum.ts';
import { etagOfBytes } from '../s3/etag.ts';
import type { Manifest } from './manifest.ts';

const UNINTERRUPTED = new AbortController().signal;

/**
 * Writes the manifest beside its dump, unless it already exists. Takes no signal: the dump is committed, and a manifest
 * completes it.
 *
 * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 stored other bytes
 */
export async function writeManifest(s3: S3Client, manifest: Manifest): Promise<'written' | 'taken'> {
  const { bucket } = manifest.object;
  const key = `${manifest.object.key}.json`;
  const body = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const checksum = crc32InBase64(crc32(body));
  try {
    const { ChecksumCRC32: stored } = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: 'application/json',
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
    throw awsFailure(`write the manifest s3://${bucket}/${key} (the dump itself is committed)`, error);
  }
}
