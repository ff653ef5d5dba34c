import { type _Object, ListObjectsV2Command, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { Purpose } from '../../contract.ts';
import { formatWhen } from '../core/execution-name.ts';
import type { Found } from '../core/freshness/assessment.ts';
import { dumpPrefix, keyBefore, runOf, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';

export interface DumpSearch {
  readonly secretName: string;
  /** Scheduled times, earliest first. */
  readonly wanted: Readonly<Record<Purpose, readonly string[]>>;
  /** A dump of the secret that was seen earlier. */
  readonly known: StoredDump | undefined;
}

const PURPOSES: readonly Purpose[] = ['dump', 'drill'];

export type FoundRuns = Readonly<Record<Purpose, Found>>;

/**
 * Evidence is beside the dump that was the newest when its drill ran, which is not known: it is looked for from the
 * dumps of this long before. Further back, it costs a listing more.
 */
const DRILLED_MS = 24 * 60 * 60_000;

/**
 * Finds the dumps of a secret, and the evidence of its drills, which is beside them. Names of databases, which keys
 * contain, are in the values of secrets, so that keys cannot be worked out; but what belongs to the same database as an
 * earlier dump is listed in one call, from the first that is wanted on. Only if that does not show all that is wanted,
 * nothing is wanted, or there is no earlier dump, all of the secret is listed, in every bucket: the newest may be in
 * any.
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
    const found = foundIn(Contents.map((object) => ({ bucket, ...object })));
    if (PURPOSES.every((purpose) => wanted[purpose].every((time) => found[purpose].sizes.has(time)))) {
      return found;
    }
  }
  const objects: ListedObject[] = [];
  for (const bucket of buckets) {
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix, Delimiter: '/' });
    for await (const { Contents = [] } of pages) {
      objects.push(...Contents.map((object) => ({ bucket, ...object })));
    }
  }
  return foundIn(objects);
}

type ListedObject = Pick<_Object, 'Key' | 'Size'> & { readonly bucket: string };

/** @param objects the dumps, and other objects */
function foundIn(objects: readonly ListedObject[]): FoundRuns {
  return { dump: foundOf('dump', objects), drill: foundOf('drill', objects) };
}

function foundOf(purpose: Purpose, objects: readonly ListedObject[]): Found {
  const sizes = new Map<string, number>();
  let newest: StoredDump | undefined;
  let newestTime = '';
  for (const { bucket, Key: key = '', Size = 0 } of objects) {
    const run = runOf(key);
    if (run?.purpose === purpose) {
      sizes.set(run.when, Size);
      if (run.when > newestTime) {
        newest = { bucket, key };
        newestTime = run.when;
      }
    }
  }
  return { sizes, newest };
}
