import type { S3Client } from '@aws-sdk/client-s3';
import { awsFailure } from '../aws.ts';
import type { DumpObject } from '../s3/object.ts';
import { putNew } from '../s3/put-new.ts';
import type { Manifest } from './manifest.ts';

/**
 * Writes the manifest beside its dump, to expire with it and not before, unless it already exists. Takes no signal: the
 * dump is committed, and a manifest completes it.
 *
 * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 stored other bytes
 */
export async function writeManifest(
  s3: S3Client,
  { bucket, key: dump, retention }: DumpObject,
  manifest: Manifest,
): Promise<'written' | 'taken'> {
  const key = `${dump}.json`;
  try {
    return await putNew(s3, { bucket, key, retention }, manifest);
  } catch (error) {
    throw awsFailure(`write the manifest s3://${bucket}/${key} (the dump itself is committed)`, error);
  }
}
