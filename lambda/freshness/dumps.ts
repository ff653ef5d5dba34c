import {
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Purpose } from '../../contract.ts';
import { formatWhen } from '../core/execution-name.ts';
import { dumpPrefix, keyBefore, runOf, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { FoundObjects, ListedObject } from '../core/freshness/found.ts';

export interface DumpSearch {
  readonly secretName: string;
  /** Scheduled times, earliest first. */
  readonly wanted: Readonly<Record<Purpose, readonly string[]>>;
  /** A dump of the secret that was seen earlier; undefined if its runs have several databases. */
  readonly known: StoredDump | undefined;
}

const PURPOSES: readonly Purpose[] = ['dump', 'drill'];

export type FoundRuns = Readonly<Record<Purpose, FoundObjects>>;

/**
 * Evidence is beside the dump that was the newest when its drill ran, which is not known: it is looked for from the
 * dumps of this long before. Further back, it costs a listing more.
 */
const DRILLED_MS = 24 * 60 * 60_000;

/**
 * Finds the dumps of a secret, and the evidence of its drills, which is beside them. Names of databases, which keys
 * contain, are in the values of secrets, so that keys cannot be worked out; but what belongs to the same database as an
 * earlier dump is listed in one call, from the first that is wanted on. Only if that does not show all that is wanted,
 * nothing is wanted, there is no earlier dump, or a run has several databases, all of the secret is listed, in every
 * bucket: the newest may be in any.
 */
export async function findDumps(
  client: S3Client,
  buckets: readonly string[],
  { secretName, wanted, known }: DumpSearch,
): Promise<FoundRuns> {
  const Prefix = dumpPrefix(secretName);
  if (known !== undefined && wanted.dump.length + wanted.drill.length > 0 && buckets.includes(known.bucket)) {
    const { bucket } = known;
    // From the earlier one on at least, so that those made on request since are found as well.
    const drilled = wanted.drill.map((time) => formatWhen(new Date(Date.parse(time) - DRILLED_MS)));
    const [from = ''] = [...wanted.dump, ...drilled, whenOf(known.key) ?? ''].toSorted();
    const query = { Bucket: bucket, Prefix, Delimiter: '/', StartAfter: keyBefore(known, from) };
    const { Contents = [] } = await client.send(new ListObjectsV2Command(query));
    const found = foundIn([[bucket, Contents]]);
    if (
      PURPOSES.every((purpose) => wanted[purpose].every((time) => found[purpose].has(time))) &&
      !hasSeveral(found.dump)
    ) {
      return found;
    }
  }
  const listings: Listing[] = [];
  for (const bucket of buckets) {
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix, Delimiter: '/' });
    for await (const { Contents = [] } of pages) {
      listings.push([bucket, Contents]);
    }
  }
  return foundIn(listings);
}

/** Whether a run has left dumps of several databases. */
export function hasSeveral(found: FoundObjects): boolean {
  return [...found.values()].some(({ length }) => length > 1);
}

type Listing = readonly [bucket: string, objects: NonNullable<ListObjectsV2CommandOutput['Contents']>];

/**
 * Of a dump that is in several buckets, such as by replication, one counts.
 *
 * @param listings of the dumps, and of other objects
 */
function foundIn(listings: readonly Listing[]): FoundRuns {
  const seen = new Set<string>();
  const keys = new Set(listings.flatMap(([, objects]) => objects.map(({ Key }) => Key)));
  const found = { dump: new Map<string, ListedObject[]>(), drill: new Map<string, ListedObject[]>() };
  for (const [bucket, objects] of listings) {
    for (const { Key: key = '', Size: bytes = 0, LastModified: written = new Date(0) } of objects) {
      const run = runOf(key);
      if (run !== undefined && !seen.has(key)) {
        seen.add(key);
        const ofRun = found[run.purpose].get(run.when) ?? [];
        found[run.purpose].set(run.when, ofRun);
        ofRun.push({ bucket, key, bytes, written, hasManifest: keys.has(`${key}.json`) });
      }
    }
  }
  return found;
}
