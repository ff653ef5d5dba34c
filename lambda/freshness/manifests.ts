import type { S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { whenOf } from '../core/freshness/dump-key.ts';
import type { DumpManifest, Memory, Watch } from '../core/freshness/memory.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';
import { readManifest } from '../core/status/manifest.ts';
import { manifestsToRead, type Unread } from '../core/status/reading-plan.ts';
import type { VanishedRows } from '../core/vanished/message.ts';
import { compareWithEarlier } from './compare-rows.ts';
import { readBeside } from './read-beside.ts';

/** Each takes several times its size. */
const CONCURRENCY = 4;

export interface WithManifests {
  readonly memory: Memory;
  /** Seconds that each of the dumps took whose manifests were read. */
  readonly seconds: readonly number[];
  /** What these dumps lack of the rows of those before. */
  readonly vanished: readonly VanishedRows[];
}

/**
 * Reads manifests that were not read yet, as many as the day allows, and compares the rows of each dump with those of
 * the one before. A manifest that cannot be read is noted.
 *
 * @param secrets by their ARNs
 * @returns the same memory if there was none to read
 */
export async function withManifests(
  client: S3Client,
  memory: Memory,
  secrets: ReadonlyMap<string, ListedSecret>,
  now: Date,
): Promise<WithManifests> {
  const { unread, reads } = manifestsToRead(memory, now);
  if (unread.length === 0) {
    return { memory, seconds: [], vanished: [] };
  }
  const read = await pMap(
    unread,
    (one): Promise<ReadManifest> => readOne(client, one, reads.day, secrets.get(one.arn)),
    { concurrency: CONCURRENCY },
  );
  const watches = read.map(({ arn, watch }) => [arn, watch] as const);
  return {
    memory: { ...memory, watches: new Map([...memory.watches, ...watches]), manifestReads: reads },
    seconds: read.flatMap(({ watch: { manifest } }) => manifest?.seconds ?? []),
    vanished: read.flatMap(({ found }) => found ?? []),
  };
}

interface ReadManifest {
  readonly arn: string;
  readonly watch: Watch;
  readonly found?: VanishedRows | undefined;
}

async function readOne(
  client: S3Client,
  { arn, watch, object: dump }: Unread<Watch>,
  day: string,
  secret: ListedSecret | undefined,
): Promise<ReadManifest> {
  const scheduledFor = whenOf(dump.key) ?? '';
  const fetched = await readBeside(client, { ...dump, key: `${dump.key}.json` }, 'manifest');
  if ('problem' in fetched) {
    const { problem, mayChange } = fetched;
    return {
      arn,
      watch: { ...watch, manifest: { scheduledFor, problem }, manifestRead: mayChange ? day : undefined },
    };
  }
  const manifest: DumpManifest = { scheduledFor, ...readManifest(fetched.text) };
  const { found, ...rows } = await compareWithEarlier(client, secret, watch, { dump, ...fetched });
  return { arn, watch: { ...watch, manifest, manifestRead: undefined, ...rows }, found };
}
