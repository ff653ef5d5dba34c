import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import type { StoredDump } from '../core/freshness/dump-key.ts';
import { onOneLine } from '../core/words/one-line.ts';

/**
 * A larger manifest, of a database with some ten thousand tables, is not read, since the function has little memory.
 */
const MAX_MIB = 4;

/** The text of a manifest, or why there is none. */
export type FetchedManifest =
  | { readonly text: string }
  | {
      readonly problem: string;
      /** Whether another try may find something else: objects are never overwritten. */
      readonly mayChange: boolean;
      readonly isMissing: boolean;
    };

/** Reads the manifest beside a dump. Why it cannot be read is logged. */
export async function fetchManifest(client: S3Client, { bucket, key }: StoredDump): Promise<FetchedManifest> {
  const Key = `${key}.json`;
  try {
    const Range = `bytes=0-${MAX_MIB * 2 ** 20 - 1}`;
    const { Body, ContentRange = '' } = await client.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
    const text = (await Body?.transformToString()) ?? '';
    const isWhole = Number(/\d+$/.exec(ContentRange)?.[0] ?? 0) <= MAX_MIB * 2 ** 20;
    return isWhole
      ? { text }
      : { problem: `Its manifest is larger than ${MAX_MIB} MiB.`, mayChange: false, isMissing: false };
  } catch (error) {
    const isMissing = error instanceof NoSuchKey;
    const problem = isMissing ? 'It has no manifest.' : `Its manifest cannot be read: ${onOneLine(String(error))}`;
    console.warn(`s3://${bucket}/${Key}: ${problem}`);
    return { problem, mayChange: true, isMissing };
  }
}
