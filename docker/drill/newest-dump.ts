import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { dumpFolder } from '../../contract.ts';
import { awsFailure, foreignResponse } from '../aws.ts';
import { Failure } from '../failure.ts';
import type { DumpObject } from '../s3/object.ts';
import type { DumpsOfSecret } from './options.ts';

/** The end of a dump's key, with its scheduled time. */
const DUMP = /-(\d{8}T\d{6}Z)\.dmp$/;

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
  const listed = await Promise.all(buckets.map((bucket) => dumpsIn(s3, bucket, `${dumpFolder(name)}/`, signal)));
  const [newest] = listed.flat().sort((one, other) => (timeOf(one) < timeOf(other) ? 1 : -1));
  if (newest === undefined) {
    throw new Failure('refused', `There is no dump of ${name} to restore in ${buckets.join(', ')}.`);
  }
  return newest;
}

function timeOf({ key }: DumpObject): string {
  return DUMP.exec(key)?.[1] ?? '';
}

/** The dumps in a folder. Those in the folders below it are of other secrets. */
async function dumpsIn(
  s3: S3Client,
  bucket: string,
  folder: string,
  signal: AbortSignal,
): Promise<readonly DumpObject[]> {
  const dumps: DumpObject[] = [];
  try {
    const request = { Bucket: bucket, Prefix: folder, Delimiter: '/' };
    for await (const page of paginateListObjectsV2({ client: s3 }, request, { abortSignal: signal })) {
      if (page.Name !== bucket) {
        throw foreignResponse(`list s3://${bucket}/${folder}`);
      }
      const keys = (page.Contents ?? []).flatMap(({ Key: key }) => key ?? []);
      dumps.push(...keys.filter((key) => DUMP.test(key)).map((key) => ({ bucket, key })));
    }
    return dumps;
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`list s3://${bucket}/${folder}`, error);
  }
}
