import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { DumpManifest, Memory, Watch } from '../core/freshness/memory.ts';
import { manifestsToRead } from '../core/status/manifest-reads.ts';
import { readManifest } from '../core/status/manifest.ts';
import { onOneLine } from '../core/words/one-line.ts';

/**
 * A larger manifest, of a database with some ten thousand tables, is not read, since the function has little memory.
 */
const MAX_MIB = 4;

/** Each takes several times its size. */
const CONCURRENCY = 4;

export interface WithManifests {
  readonly memory: Memory;
  /** Seconds that each of the dumps took whose manifests were read. */
  readonly seconds: readonly number[];
}

/**
 * Reads manifests that were not read yet, as many as the day allows. One that cannot be read is noted.
 *
 * @returns the same memory if there was none to read
 */
export async function withManifests(client: S3Client, memory: Memory, now: Date): Promise<WithManifests> {
  const { unread, reads } = manifestsToRead(memory, now);
  if (unread.length === 0) {
    return { memory, seconds: [] };
  }
  const read = await pMap(
    unread,
    async ({ arn, watch, dump }): Promise<[string, Watch]> => {
      const { manifest, mayChange } = await fetchManifest(client, dump);
      return [arn, { ...watch, manifest, manifestRead: mayChange ? reads.day : undefined }];
    },
    { concurrency: CONCURRENCY },
  );
  return {
    memory: { ...memory, watches: new Map([...memory.watches, ...read]), manifestReads: reads },
    seconds: read.flatMap(([, { manifest }]) => manifest?.seconds ?? []),
  };
}

interface Fetched {
  readonly manifest: DumpManifest;
  /** Whether another try may find something else: objects are never overwritten. */
  readonly mayChange: boolean;
}

async function fetchManifest(client: S3Client, { bucket, key }: StoredDump): Promise<Fetched> {
  const scheduledFor = whenOf(key) ?? '';
  const Key = `${key}.json`;
  try {
    const Range = `bytes=0-${MAX_MIB * 2 ** 20 - 1}`;
    const { Body, ContentRange = '' } = await client.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
    const text = (await Body?.transformToString()) ?? '';
    const isWhole = Number(/\d+$/.exec(ContentRange)?.[0] ?? 0) <= MAX_MIB * 2 ** 20;
    const contents = isWhole ? readManifest(text) : { problem: `Its manifest is larger than ${MAX_MIB} MiB.` };
    return { manifest: { scheduledFor, ...contents }, mayChange: false };
  } catch (error) {
    const problem =
      error instanceof NoSuchKey ? 'It has no manifest.' : `Its manifest cannot be read: ${onOneLine(String(error))}`;
    console.warn(`s3://${bucket}/${Key}: ${problem}`);
    return { manifest: { scheduledFor, problem }, mayChange: true };
  }
}
