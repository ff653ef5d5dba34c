import { createReadStream } from 'node:fs';

import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

import { awsFailure, isTaken, openS3 } from './aws.ts';
import type { Checksums } from './checksum.ts';
import { Failure } from './failure.ts';
import type { DumpObject } from './manifest.ts';
import { withProgress } from './progress.ts';

const MIB = 1024 * 1024;

const SMALLEST_PART = 8 * MIB;

/** S3's limit for one upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

/** Bytes of each part but the last, whole MiB, so that a file of this size needs no more parts than S3 takes. Four are in memory at a time. */
export function partSize(bytes: number): number {
  return Math.max(SMALLEST_PART, Math.ceil(bytes / MOST_PARTS / MIB) * MIB);
}

/** The requests that bring the object into being. */
const COMMITS: ReadonlySet<string | undefined> = new Set(['PutObjectCommand', 'CompleteMultipartUploadCommand']);

/**
 * The request that commits carries the checksum of the whole object, as it was proven: S3 refuses anything else. `Upload` can't be
 * told so, as it would send the same checksum with every part. And no commit once the run was told to end.
 */
function guardCommit(client: S3Client, { crc64nvme }: Checksums, signal: AbortSignal): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (!COMMITS.has(commandName)) {
          return next(args);
        }
        signal.throwIfAborted();
        return next({ ...args, input: { ...args.input, ChecksumCRC64NVME: crc64nvme } });
      },
    { step: 'initialize', name: 'guardCommit' },
  );
}

/**
 * Uploads the proven file. The object comes into being with the last request or not at all, and never over another one. An upload
 * that fails is aborted, its parts deleted.
 * @returns `taken` if the key had an object by then
 * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 holds other bytes than were proven
 */
export async function uploadDump(
  file: string,
  { bucket, key }: DumpObject,
  checksums: Checksums,
  { region, signal }: { readonly region: string; readonly signal: AbortSignal },
): Promise<'committed' | 'taken'> {
  const client = openS3(region);
  guardCommit(client, checksums, signal);
  const upload = new Upload({
    client,
    partSize: partSize(checksums.bytes),
    params: {
      Bucket: bucket,
      Key: key,
      // Aborting by way of the body lets Upload clean up before it gives up; by its own abort() it would not wait for that.
      Body: createReadStream(file, { signal }),
      IfNoneMatch: '*',
      ChecksumAlgorithm: 'CRC64NVME',
      ChecksumType: 'FULL_OBJECT',
      MpuObjectSize: checksums.bytes,
      ContentType: 'application/octet-stream',
      Metadata: { sha256: checksums.sha256 },
    },
  });
  let sent = 0;
  upload.on('httpUploadProgress', ({ loaded }) => {
    sent = loaded ?? sent;
  });
  const phase = { name: 'Uploading', done: () => sent, total: { bytes: checksums.bytes, what: 'of the dump' } };
  try {
    const { ChecksumCRC64NVME: stored } = await withProgress(phase, () => upload.done());
    if (stored !== undefined && stored !== checksums.crc64nvme) {
      throw new Failure(
        'verificationFailed',
        `s3://${bucket}/${key} has the CRC64NVME ${stored}, but the proven dump has ${checksums.crc64nvme}. Do not rely on this object.`,
      );
    }
    return 'committed';
  } catch (error) {
    if (isTaken(error)) {
      return 'taken';
    }
    signal.throwIfAborted();
    throw awsFailure(`upload to s3://${bucket}/${key}`, error);
  } finally {
    client.destroy();
  }
}
