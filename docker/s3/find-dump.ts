import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { awsFailure, foreignResponse } from '../aws.ts';
import { Failure } from '../failure.ts';
import type { DumpObject } from './object.ts';

/** An object as the bucket lists it. */
export interface ListedObject {
  readonly bytes: number;
  /** With its quotation marks. */
  readonly etag: string;
}

/**
 * Finds the dump if it exists. Lists the bucket, because HeadObject would require permission to read dumps, which the
 * writer of dumps does not have.
 *
 * @throws {Failure} `tryAgain`; `refused`, also if there is a manifest without its dump: since nothing is overwritten,
 * it would pass for the manifest of the dump about to be made
 */
export async function findDump(
  s3: S3Client,
  { bucket, key }: DumpObject,
  signal: AbortSignal,
): Promise<ListedObject | undefined> {
  try {
    // Of the keys with this prefix the key itself sorts first. Its manifest comes after the evidence of drills, of
    // which a thousand would hide it.
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: key });
    const { Contents: listed = [], Name: listedBucket } = await s3.send(command, { abortSignal: signal });
    if (listedBucket !== bucket) {
      throw foreignResponse(`list s3://${bucket}/${key}`);
    }
    const dump = listed.find((object) => object.Key === key);
    if (dump === undefined && listed.some((object) => object.Key === `${key}.json`)) {
      throw new Failure(
        'refused',
        `There is a manifest s3://${bucket}/${key}.json, but its dump has been deleted. ` +
          'Delete the manifest as well, so that a new dump can be made.',
      );
    }
    return dump && { bytes: dump.Size ?? 0, etag: dump.ETag ?? '' };
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`list s3://${bucket}/${key}`, error);
  }
}
