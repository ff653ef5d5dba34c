import type { S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { databaseInKey, isSameDatabase, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { DumpManifest, Memory, Watch } from '../core/freshness/memory.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';
import { combinedManifests, type ManifestFacts, readManifest } from '../core/status/manifest.ts';
import { manifestsToRead, type Unread } from '../core/status/reading-plan.ts';
import { vanishedOf } from '../core/vanished/lasting.ts';
import type { VanishedRows } from '../core/vanished/message.ts';
import { type ComparedRows, compareWithEarlier } from './compare-rows.ts';
import { readBeside, type ReadText } from './read-beside.ts';

/** Each takes several times its size. */
const CONCURRENCY = 4;

export interface WithManifests {
  readonly memory: Memory;
  /** Seconds that the dumps took whose manifests were read; of a run, those that were not known before. */
  readonly seconds: readonly number[];
  /** What these dumps lack of the rows of those before. */
  readonly vanished: readonly VanishedRows[];
}

/**
 * Reads manifests that were not read yet, as many as the day allows, and compares the rows of each dump with those of
 * the same database's one before. A manifest that cannot be read is noted.
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
    seconds: read.map(({ arn, watch }) => newSeconds(memory.watches.get(arn)?.manifest, watch.manifest)),
    vanished: read.flatMap(({ found }) => found),
  };
}

/** The manifests of a run are read again when it has dumped more databases, or one of them could not be read. */
function newSeconds(before: DumpManifest | undefined, now: DumpManifest | undefined): number {
  const known = before?.scheduledFor === now?.scheduledFor ? (before?.seconds ?? 0) : 0;
  return Math.max((now?.seconds ?? 0) - known, 0);
}

interface ReadManifest {
  readonly arn: string;
  readonly watch: Watch;
  readonly found: readonly VanishedRows[];
}

/** Of several databases, one manifest after another: each may take much memory. */
async function readOne(
  client: S3Client,
  { arn, watch, objects: dumps }: Unread<Watch>,
  day: string,
  secret: ListedSecret | undefined,
): Promise<ReadManifest> {
  const facts: ManifestFacts[] = [];
  const found: VanishedRows[] = [];
  let compared: readonly StoredDump[] = watch.others === undefined ? [] : (watch.compared ?? []);
  let { vanished } = watch;
  let mayChange = false;
  for (const dump of dumps) {
    const earlier = watch.compared?.find((one) => isSameDatabase(one, dump));
    const read = await readBeside(client, { ...dump, key: `${dump.key}.json` }, 'manifest');
    const rows: ComparedRows =
      'text' in read
        ? await compareWithEarlier(client, secret, { earlier, vanished }, { dump, text: read.text })
        : { compared: earlier, vanished };
    facts.push(factsOf(read, dump, dumps.length > 1));
    mayChange ||= 'problem' in read && read.mayChange;
    compared = [...compared.filter((one) => one !== earlier), ...(rows.compared === undefined ? [] : [rows.compared])];
    vanished = rows.vanished;
    found.push(...(rows.found === undefined ? [] : [rows.found]));
  }
  const manifest: DumpManifest = { scheduledFor: whenOf(dumps[0]?.key ?? '') ?? '', ...combinedManifests(facts) };
  const manifestRead = mayChange ? day : undefined;
  return {
    arn,
    watch: { ...watch, manifest, manifestRead, compared, vanished: vanishedOf(vanished, compared) },
    found,
  };
}

function factsOf(read: ReadText, { key }: StoredDump, isOfSeveral: boolean): ManifestFacts {
  if ('text' in read) {
    return readManifest(read.text);
  }
  return { problem: read.problem, ...(isOfSeveral && { database: databaseInKey(key) }) };
}
