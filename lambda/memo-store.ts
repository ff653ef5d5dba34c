import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { MEMO_KEY } from '../contract.ts';
import { Memo, type MemoScope } from './core/memo.ts';

/**
 * Reads the memo of earlier scans; an empty one if none exists yet.
 *
 * @throws {Error} if it cannot be read or is invalid
 */
export async function readMemo(client: S3Client, bucket: string, scope: MemoScope): Promise<Memo> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: MEMO_KEY }));
    return Memo.read((await Body?.transformToString()) ?? '', scope);
  } catch (error) {
    if (error instanceof NoSuchKey) {
      return new Memo(scope);
    }
    throw error;
  }
}

/** Stores the memo for the next scan. Of two concurrent scans the last writer wins. */
export async function writeMemo(client: S3Client, bucket: string, memo: Memo): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: MEMO_KEY, Body: memo.write(new Date()) }));
}
