import type { S3Client } from '@aws-sdk/client-s3';
import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { Failure } from '../failure.ts';
import { listDumps } from '../s3/list-dumps.ts';
import type { DumpObject } from '../s3/object.ts';
import type { DumpsOfSecret } from './options.ts';

/** The resource of a secret's ARN: its name, and six characters that Secrets Manager adds. */
const SECRET = /^secret:(.+)-[A-Za-z0-9]{6}$/;

/**
 * Finds the newest dump of a secret, by its scheduled time.
 *
 * @throws {Failure} `refused` if there is none, or a bucket may not be listed; `tryAgain`
 */
export async function newestDump(
  s3: S3Client,
  { secretArn, buckets }: DumpsOfSecret,
  signal: AbortSignal,
): Promise<DumpObject> {
  const [, name] = SECRET.exec(parseArn(secretArn).resource) ?? [];
  if (name === undefined) {
    throw new Failure(
      'misuse',
      `The ARN ${secretArn} does not end like that of a secret, in a hyphen and six characters.`,
    );
  }
  const dumps = await listDumps(s3, buckets, name, signal);
  const newest = dumps.toSorted((one, other) => (one.scheduledFor < other.scheduledFor ? -1 : 1)).at(-1);
  if (newest === undefined) {
    throw new Failure('refused', `There is no dump of ${name} to restore in ${buckets.join(', ')}.`);
  }
  return { bucket: newest.bucket, key: newest.key };
}
