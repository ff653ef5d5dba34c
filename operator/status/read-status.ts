import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { type Status, STATUS_KEY } from '../../contract.ts';
import { CommandError } from '../command-error.ts';
import { parsedJson } from '../parsed-json.ts';
import { statusSchema } from './schema.ts';

/**
 * Reads the status that the last check has written.
 *
 * @throws {CommandError} if there is none yet, or it is that of another version
 */
export async function readStatus(client: S3Client, bucket: string): Promise<Status> {
  const parsed = statusSchema.safeParse(parsedJson(await readObject(client, bucket, STATUS_KEY)));
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: '' }] = parsed.error.issues;
    throw new CommandError(
      `s3://${bucket}/${STATUS_KEY} is not a status that this version reads (${['status', ...path].join('.')}: ${message}). ` +
        'Deploy this version of AutoDump, or use the one that is deployed.',
    );
  }
  return parsed.data;
}

/**
 * Reads an object that each check writes.
 *
 * @throws {CommandError} if no check has written it yet
 */
export async function readObject(client: S3Client, bucket: string, key: string): Promise<string> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await Body?.transformToString()) ?? '';
  } catch (error) {
    if (error instanceof NoSuchKey) {
      throw new CommandError(
        `There is no status yet: s3://${bucket}/${key} does not exist. The first check after the deployment writes it, ` +
          'within an hour. If that is longer ago, see docs/operations.md#alarm-heartbeat-missing.',
        { cause: error },
      );
    }
    throw error;
  }
}
