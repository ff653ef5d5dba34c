import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsFailure, isTaken } from '../aws.ts';
import type { Manifest } from './manifest.ts';

/**
 * Writes the manifest beside its dump, unless it already exists. Takes no signal: the dump is committed, and a manifest
 * completes it.
 *
 * @throws {Failure} `tryAgain` or `refused`
 */
export async function writeManifest(s3: S3Client, manifest: Manifest): Promise<'written' | 'taken'> {
  const { bucket, key } = manifest.object;
  try {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `${key}.json`,
        Body: `${JSON.stringify(manifest, null, 2)}\n`,
        ContentType: 'application/json',
        IfNoneMatch: '*',
      }),
    );
    return 'written';
  } catch (error) {
    if (isTaken(error)) {
      return 'taken';
    }
    throw awsFailure(`write the manifest s3://${bucket}/${key}.json (the dump itself is committed)`, error);
  }
}
