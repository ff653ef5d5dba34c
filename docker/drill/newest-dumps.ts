import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { z } from 'zod';
import { awsFailure } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { nameInKey } from '../plan/key.ts';
import { listDumps, type ListedDump } from '../s3/list-dumps.ts';
import type { DumpObject } from '../s3/object.ts';
import type { DumpsOfSecret } from './options.ts';

/** The resource of a secret's ARN: its name, and six characters that Secrets Manager adds. */
const SECRET = /^secret:(.+)-[A-Za-z0-9]{6}$/;

/**
 * Finds the newest dump of a secret, by its scheduled time; if its run had several databases, the newest one of each.
 *
 * @throws {Failure} `refused` if there is none, or a bucket may not be listed; `tryAgain`
 */
export async function newestDumps(
  s3: S3Client,
  { secretArn, buckets }: DumpsOfSecret,
  signal: AbortSignal,
): Promise<readonly DumpObject[]> {
  const [, name] = SECRET.exec(parseArn(secretArn).resource) ?? [];
  if (name === undefined) {
    throw new Failure(
      'misuse',
      `The ARN ${secretArn} does not end like that of a secret, in a hyphen and six characters.`,
    );
  }
  const listed = await listDumps(s3, buckets, name, signal);
  const dumps = listed.toSorted((one, other) => (one.scheduledFor < other.scheduledFor ? -1 : 1));
  const newest = dumps.at(-1);
  if (newest === undefined) {
    throw new Failure('refused', `There is no dump of ${name} to restore in ${buckets.join(', ')}.`);
  }
  // Of a dump that was committed just now, the manifest may be still to come.
  const described = dumps.findLast(({ hasManifest }) => hasManifest);
  const databases = described === undefined ? undefined : await databasesOfRun(s3, described, signal);
  const chosen = databases === undefined ? [newest] : databases.flatMap((database) => newestOf(database, dumps));
  return chosen.map(({ bucket, key }) => ({ bucket, key }));
}

function newestOf(database: string, dumps: readonly ListedDump[]): readonly ListedDump[] {
  const newest = dumps.findLast((dump) => dump.database === nameInKey(database));
  if (newest === undefined) {
    log(`Note: there is no dump of the database "${database}" to drill.`);
    return [];
  }
  return [newest];
}

const manifestSchema = z.object({
  // Absent in manifests of earlier versions.
  run: z.object({ databases: z.array(z.object({ database: z.string() })) }).nullish(),
});

/** @returns undefined if the secret named a single database, or the manifest cannot be read, which the drill reports */
async function databasesOfRun(
  s3: S3Client,
  { bucket, key }: DumpObject,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  let text: string | undefined;
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: `${key}.json` });
    const { Body: body } = await s3.send(command, { abortSignal: signal });
    text = await body?.transformToString();
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`read the manifest s3://${bucket}/${key}.json`, error);
  }
  try {
    return manifestSchema.parse(JSON.parse(text ?? '')).run?.databases.map(({ database }) => database);
  } catch {
    return undefined;
  }
}
