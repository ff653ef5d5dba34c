import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import type { StoredDump } from '../core/freshness/dump-key.ts';
import { onOneLine } from '../core/words/one-line.ts';

/** A larger object, such as the manifest of some ten thousand tables, is not read: the function has little memory. */
const MAX_MIB = 4;

/** The text of an object, or why it could not be read. */
export type ReadText =
  | { readonly text: string }
  | {
      readonly problem: string;
      /** Whether another try may find something else: objects are never overwritten. */
      readonly mayChange: boolean;
      readonly isMissing: boolean;
    };

/**
 * Reads an object beside a dump.
 *
 * @param what the name of such an object: `manifest`
 */
export async function readBeside(client: S3Client, { bucket, key }: StoredDump, what: string): Promise<ReadText> {
  try {
    const Range = `bytes=0-${MAX_MIB * 2 ** 20 - 1}`;
    const { Body, ContentRange = '' } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range }));
    const isWhole = Number(/\d+$/.exec(ContentRange)?.[0] ?? 0) <= MAX_MIB * 2 ** 20;
    return isWhole
      ? { text: (await Body?.transformToString()) ?? '' }
      : { problem: `Its ${what} is larger than ${MAX_MIB} MiB.`, mayChange: false, isMissing: false };
  } catch (error) {
    const isMissing = error instanceof NoSuchKey;
    const problem = isMissing ? `It has no ${what}.` : `Its ${what} cannot be read: ${onOneLine(String(error))}`;
    console.warn(`s3://${bucket}/${key}: ${problem}`);
    return { problem, mayChange: true, isMissing };
  }
}
