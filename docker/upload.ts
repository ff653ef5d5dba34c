import { once } from 'node:events';
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

/**
 * Bytes of each part but the last, whole MiB, so that a file of this size needs no more parts than S3 takes. Four are
 * in memory at a time.
 */
export function partSize(bytes: number): number {
  return Math.max(SMALLEST_PART, Math.ceil(bytes / MOST_PARTS / MIB) * MIB);
}

/**
 * Two things that `Upload` can't be told. The request that commits carries the checksum of the whole object as it was
 * proven, so that S3 refuses anything else; given as a parameter, `Upload` would send it with every part as well. And
 * when the run is to end, parts under way are given up at once, with their retries, and nothing is committed any more.
 * (The request that begins the upload is waited for: without its answer the upload could not be aborted.)
 */
function guard(client: S3Client, { crc64nvme }: Checksums, signal: AbortSignal): void {
  const aborted = once(signal, 'abort').then(() => Promise.reject(signal.reason as Error));
  aborted.catch(() => undefined);
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        switch (commandName) {
          case 'UploadPartCommand':
            signal.throwIfAborted();
            return Promise.race([next(args), aborted]);
          case 'PutObjectCommand':
          case 'CompleteMultipartUploadCommand':
            signal.throwIfAborted();
            return next({ ...args, input: { ...args.input, ChecksumCRC64NVME: crc64nvme } });
          default:
            return next(args);
        }
      },
    { step: 'initialize', name: 'guard' },
  );
}

/**
 * Uploads the proven file. The object comes into being with the last request or not at all, and never over another one.
 * An upload that fails is aborted, its parts deleted.
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
  guard(client, checksums, signal);
  const upload = new Upload({
    client,
    partSize: partSize(checksums.bytes),
    params: {
      Bucket: bucket,
      Key: key,
      // Upload's own abort() would not wait until the upload is aborted at S3; a failing part or body makes it do so.
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
