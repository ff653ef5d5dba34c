import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { awsFailure, openS3 } from '../aws.ts';
import { Failure } from '../failure.ts';
import type { DumpObject } from './object.ts';

/** What a list of the bucket says of an object. */
export interface Found {
  readonly bytes: number;
  /** With its quotation marks. */
  readonly etag: string;
}

/**
 * The dump if there is one already. Listed, as the writer of dumps may not read them, which HeadObject would
 * take.
 *
 * @throws {Failure} `tryAgain`; `refused`, also if there is a manifest without its dump: as nothing is overwritten, it
 * would be taken for that of the dump to be made
 */
export async function findDump(
  { bucket, key }: DumpObject,
  region: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const client = openS3(region);
  try {
    // Of the keys with this prefix the key itself comes first, and of all that dumps make its manifest second.
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: key });
    const { Contents: listed = [] } = await client.send(command, { abortSignal: signal });
    const found = listed.find((object) => object.Key === key);
    if (found === undefined && listed.some((object) => object.Key === `${key}.json`)) {
      throw new Failure(
        'refused',
        `There is a manifest s3://${bucket}/${key}.json, but not the dump that it is of: somebody has deleted that. ` +
          'Delete the manifest too, and a new dump can be made.',
      );
    }
    return found && { bytes: found.Size ?? 0, etag: found.ETag ?? '' };
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`list s3://${bucket}/${key}`, error);
  } finally {
    client.destroy();
  }
}
