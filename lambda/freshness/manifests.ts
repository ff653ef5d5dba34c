import type { S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { DumpManifest, Memory, Watch } from '../core/freshness/memory.ts';
import { readManifest } from '../core/status/manifest.ts';
import { manifestsToRead } from '../core/status/reading-plan.ts';
import { readBeside } from './read-json.ts';

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
    async ({ arn, watch, object }): Promise<[string, Watch]> => {
      const { manifest, mayChange } = await fetchManifest(client, object);
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
  readonly mayChange: boolean;
}

async function fetchManifest(client: S3Client, { bucket, key }: StoredDump): Promise<Fetched> {
  const scheduledFor = whenOf(key) ?? '';
  const read = await readBeside(client, { bucket, key: `${key}.json` }, 'manifest');
  if ('text' in read) {
    return { manifest: { scheduledFor, ...readManifest(read.text) }, mayChange: false };
  }
  const { problem, mayChange } = read;
  return { manifest: { scheduledFor, problem }, mayChange };
}
