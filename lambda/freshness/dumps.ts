import { ListObjectsV2Command, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { FoundDumps } from '../core/freshness/assessment.ts';
import { dumpPrefix, keyBefore, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';

export interface DumpSearch {
  readonly secretName: string;
  /** Scheduled times, earliest first; at least one. */
  readonly wanted: readonly [string, ...string[]];
  /** A dump of the secret that was seen earlier. */
  readonly known: StoredDump | undefined;
}

/**
 * Finds the dumps of a secret. Names of databases, which keys contain, are in the values of secrets, so that keys cannot
 * be worked out; but the dumps of the same database as an earlier one are listed in one call, from the first wanted one
 * on. Only if that does not show all of them, or there is no earlier one, all dumps of the secret are listed, in one
 * bucket after another.
 */
export async function findDumps(
  client: S3Client,
  buckets: readonly string[],
  { secretName, wanted, known }: DumpSearch,
): Promise<FoundDumps> {
  const Prefix = dumpPrefix(secretName);
  const isComplete = ({ times }: FoundDumps): boolean => wanted.every((time) => times.has(time));
  if (known !== undefined && buckets.includes(known.bucket)) {
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({
        Bucket: known.bucket,
        Prefix,
        Delimiter: '/',
        StartAfter: keyBefore(known, wanted[0]),
      }),
    );
    const found = foundIn(Contents.map(({ Key = '' }) => ({ bucket: known.bucket, key: Key })));
    if (isComplete(found)) {
      return found;
    }
  }
  const dumps: StoredDump[] = [];
  for (const bucket of buckets) {
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix, Delimiter: '/' },
    )) {
      dumps.push(...Contents.map(({ Key = '' }) => ({ bucket, key: Key })));
    }
    if (isComplete(foundIn(dumps))) {
      break;
    }
  }
  return foundIn(dumps);
}

/** @param objects the dumps, and other objects */
function foundIn(objects: readonly StoredDump[]): FoundDumps {
  const times = new Set<string>();
  let newest: StoredDump | undefined;
  let newestTime = '';
  for (const object of objects) {
    const time = whenOf(object.key);
    if (time !== undefined) {
      times.add(time);
      if (time > newestTime) {
        newest = object;
        newestTime = time;
      }
    }
  }
  return { times, newest };
}
