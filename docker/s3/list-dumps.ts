import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { dumpFolder } from '../../contract.ts';
import { awsFailure, foreignResponse } from '../aws.ts';
import type { DumpObject } from './object.ts';

/** A dump in a bucket, by its key. */
export interface ListedDump extends DumpObject {
  /** As in the key. */
  readonly database: string;
  /** UTC, RFC 3339, whole seconds. */
  readonly scheduledFor: string;
  readonly hasManifest: boolean;
}

const NAME = /^(.*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.dmp$/s;

/**
 * Lists the dumps of a secret by database and time.
 *
 * @throws {Failure} `refused`, `tryAgain`
 */
export async function listDumps(
  s3: S3Client,
  buckets: readonly string[],
  secret: string,
  signal: AbortSignal,
): Promise<readonly ListedDump[]> {
  const found: ListedDump[] = [];
  for (const bucket of buckets) {
    const keys = await keysIn(s3, bucket, `${dumpFolder(secret)}/`, signal);
    found.push(...[...keys].flatMap((key) => dumpOf({ bucket, key }, keys.has(`${key}.json`))));
  }
  const order = ({ database, scheduledFor }: ListedDump) => `${database}\0${scheduledFor}`;
  return found.toSorted((one, other) => (order(one) < order(other) ? -1 : 1));
}

/** The delimiter leaves out other secrets, whose names begin with that of this one and a slash. */
async function keysIn(s3: S3Client, bucket: string, prefix: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  try {
    const query = { Bucket: bucket, Prefix: prefix, Delimiter: '/' };
    for await (const page of paginateListObjectsV2({ client: s3 }, query, { abortSignal: signal })) {
      if (page.Name !== bucket) {
        throw foreignResponse(`list s3://${bucket}/${prefix}`);
      }
      for (const { Key: key = '' } of page.Contents ?? []) {
        keys.add(key);
      }
    }
    return keys;
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`list s3://${bucket}/${prefix}`, error);
  }
}

/** @returns nothing if it is not the key of a dump */
function dumpOf(object: DumpObject, hasManifest: boolean): readonly ListedDump[] {
  const name = object.key.slice(object.key.lastIndexOf('/') + 1);
  const [, database, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  return database === undefined
    ? []
    : [{ ...object, database, scheduledFor: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`, hasManifest }];
}
