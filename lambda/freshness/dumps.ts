import { type _Object, ListObjectsV2Command, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { FoundDumps } from '../core/freshness/assessment.ts';
import { dumpPrefix, keyBefore, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';

export interface DumpSearch {
  readonly secretName: string;
  /** Scheduled times, earliest first. */
  readonly wanted: readonly string[];
  /** A dump of the secret that was seen earlier. */
  readonly known: StoredDump | undefined;
}

/**
 * Finds the dumps of a secret. Names of databases, which keys contain, are in the values of secrets, so that keys
 * cannot be worked out; but the dumps of the same database as an earlier one are listed in one call, from the first
 * wanted one on. Only if that does not show all of them, none is wanted, or there is no earlier one, all dumps of the
 * secret are listed, in every bucket: the newest may be in any.
 */
export async function findDumps(
  client: S3Client,
  buckets: readonly string[],
  { secretName, wanted, known }: DumpSearch,
): Promise<FoundDumps> {
  const Prefix = dumpPrefix(secretName);
  if (known !== undefined && wanted.length > 0 && buckets.includes(known.bucket)) {
    const { bucket } = known;
    // From the earlier one on at least, so that those made on request since are found as well.
    const [from = ''] = [...wanted, whenOf(known.key) ?? ''].toSorted();
    const query = { Bucket: bucket, Prefix, Delimiter: '/', StartAfter: keyBefore(known, from) };
    const { Contents = [] } = await client.send(new ListObjectsV2Command(query));
    const found = foundIn(Contents.map((object) => ({ bucket, ...object })));
    if (wanted.every((time) => found.dumps.has(time))) {
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
function foundIn(objects: readonly ListedObject[]): FoundDumps {
  const dumps = new Map<string, number>();
  let newest: StoredDump | undefined;
  let newestTime = '';
  for (const { bucket, Key: key = '', Size = 0 } of objects) {
    const time = whenOf(key);
    if (time !== undefined) {
      dumps.set(time, Size);
      if (time > newestTime) {
        newest = { bucket, key };
        newestTime = time;
      }
    }
  }
  return { dumps, newest };
}
