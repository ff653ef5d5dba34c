import type { S3Client } from '@aws-sdk/client-s3';
import { awsFailure } from '../aws.ts';
import { putNew } from '../s3/put-new.ts';
import type { Manifest } from './manifest.ts';

/**
 * Writes the manifest beside its dump, unless it already exists. Takes no signal: the dump is committed, and a manifest
 * completes it.
 *
 * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 stored other bytes
 */
export async function writeManifest(s3: S3Client, manifest: Manifest): Promise<'written' | 'taken'> {
  const { bucket } = manifest.object;
  const key = `${manifest.object.key}.json`;
  try {
    return await putNew(s3, { bucket, key }, manifest);
  } catch (error) {
    throw awsFailure(`write the manifest s3://${bucket}/${key} (the dump itself is committed)`, error);
  }
}
