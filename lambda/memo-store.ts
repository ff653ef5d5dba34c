import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Memo } from './core/memo.ts';

const KEY = 'started-runs.json';

/**
 * The memo of earlier scans; an empty one if there is none yet.
 *
 * @throws {Error} if it is out of reach, or makes no sense
 */
export async function readMemo(client: S3Client, bucket: string, stateMachineArn: string): Promise<Memo> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: KEY }));
    return Memo.read((await Body?.transformToString()) ?? '', stateMachineArn);
  } catch (error) {
    if (error instanceof NoSuchKey) {
      return new Memo(stateMachineArn);
    }
    throw error;
  }
}

/** Keeps the memo for the next scan. Of two scans at once the last one's is kept. */
export async function writeMemo(client: S3Client, bucket: string, memo: Memo): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: memo.write(new Date()) }));
}
