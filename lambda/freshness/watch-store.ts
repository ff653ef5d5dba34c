import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { FRESHNESS_KEY } from '../../contract.ts';
import { readWatches, type Watches, writeWatches } from '../core/freshness/watch.ts';

/**
 * Reads what the last check remembered; nothing if there was none.
 *
 * @throws {Error} if it cannot be read or is invalid: without it, dumps that are overdue would be forgotten
 */
export async function loadWatches(client: S3Client, bucket: string): Promise<Watches> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: FRESHNESS_KEY }));
    return readWatches((await Body?.transformToString()) ?? '');
  } catch (error) {
    if (error instanceof NoSuchKey) {
      return new Map();
    }
    throw error;
  }
}

export async function storeWatches(client: S3Client, bucket: string, watches: Watches): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: FRESHNESS_KEY, Body: writeWatches(watches) }));
}
