import type { S3Client } from '@aws-sdk/client-s3';
import { MEMO_KEY } from '../../contract.ts';
import { Memo, type MemoScope } from '../core/memo.ts';
import { readText, writeText } from '../stored-text.ts';

/**
 * Reads the memo of earlier scans; an empty one if none exists yet.
 *
 * @throws {Error} if it cannot be read or is invalid
 */
export async function readMemo(client: S3Client, bucket: string, scope: MemoScope): Promise<Memo> {
  const text = await readText(client, bucket, MEMO_KEY);
  return text === undefined ? new Memo(scope) : Memo.read(text, scope);
}

/** Stores the memo for the next scan. Of two concurrent scans the last writer wins. */
export async function writeMemo(client: S3Client, bucket: string, memo: Memo): Promise<void> {
  await writeText(client, bucket, MEMO_KEY, memo.write(new Date()));
}
