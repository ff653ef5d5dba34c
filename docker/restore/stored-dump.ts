import { createHash } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { awsFailure } from '../aws.ts';
import { Failure } from '../failure.ts';
import { networkCode } from '../network.ts';
import { type Checksums, checksumsOf, Cuts } from '../s3/checksum.ts';
import type { DumpObject } from '../s3/object.ts';

/** A dump as it lies in S3, and what its manifest says of it. */
export interface StoredDump {
  readonly object: DumpObject;
  readonly bytes: number;
  readonly etag: string;
  /** What its bytes must come to, as far as it is known; one of the two always is. In the forms of `Checksums`. */
  readonly sha256: string | undefined;
  readonly crc64nvme: string | undefined;
  /** Of the database that was dumped, on its server's disk; zero where that is not known. */
  readonly databaseBytes: number;
  /** Version of the server that was dumped; unknown in a recovered manifest. */
  readonly serverVersion: string | null;
  /** Major of the pg_dump that made it; unknown in a recovered manifest. */
  readonly clientMajor: number | null;
}

const MIB = 1024 * 1024;

/**
 * Bytes asked for in one request, and requests under way. In memory is, besides their parts, the one that was handed on
 * last; and each is there twice for the moment in which the SDK joins what came of it.
 */
const PART_BYTES = 8 * MIB;
const AHEAD = 4;

/** How often a part is asked for whose connection breaks while it comes; the SDK tries again only before that. */
const ATTEMPTS = 5;

const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  source: z.object({ serverVersion: z.string().nullable(), databaseBytes: z.number().nullish() }),
  dump: z.object({
    client: z
      .string()
      .regex(/^pg_dump \d+/)
      .nullable(),
    format: z.literal('custom'),
  }),
  proof: z.object({ bytes: z.number().int(), sha256: z.string().nullable(), verified: z.literal(true) }),
});

type StoredManifest = z.infer<typeof manifestSchema>;

/** Where S3 has no such key; for a role that may not list the bucket, S3 answers 403 instead. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

async function readManifest(
  client: S3Client,
  { bucket, key }: DumpObject,
  signal: AbortSignal,
): Promise<StoredManifest> {
  const url = `s3://${bucket}/${key}.json`;
  let text: string;
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: `${key}.json` });
    const { Body: body } = await client.send(command, { abortSignal: signal });
    text = (await body?.transformToString()) ?? '';
  } catch (error) {
    signal.throwIfAborted();
    if (isMissing(error)) {
      throw new Failure(
        'refused',
        `There is no manifest ${url}, and without one there is nothing to check the dump against. Is this the key of a ` +
          'dump? If its manifest got lost, restore it by hand: aws s3 cp, then pg_restore.',
      );
    }
    throw awsFailure(`read the manifest ${url}`, error);
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    throw new Failure('refused', `${url} is no manifest that this version of AutoDump can read: ${why}`, {
      cause: error,
    });
  }
}

/**
 * Finds the dump and its manifest, and holds what the two say against each other.
 *
 * @throws {Failure} `refused`, `tryAgain`; `verificationFailed` if the dump has not the size that was proven
 */
export async function findStoredDump(client: S3Client, object: DumpObject, signal: AbortSignal): Promise<StoredDump> {
  const url = `s3://${object.bucket}/${object.key}`;
  const manifest = await readManifest(client, object, signal);
  const head = await client
    .send(new HeadObjectCommand({ Bucket: object.bucket, Key: object.key, ChecksumMode: 'ENABLED' }), {
      abortSignal: signal,
    })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      throw isMissing(error)
        ? new Failure('refused', `There is a manifest, but no dump ${url}.`, { cause: error })
        : awsFailure(`find ${url}`, error);
    });
  const { bytes } = manifest.proof;
  if (head.ContentLength !== bytes) {
    throw new Failure(
      'verificationFailed',
      `${url} has ${head.ContentLength ?? 0} bytes, but ${bytes} were proven. Do not rely on this object.`,
    );
  }
  // A recovered manifest knows no SHA-256. S3 has checked the CRC64NVME of every dump against the one that was proven.
  const sha256 = manifest.proof.sha256 ?? head.Metadata?.sha256;
  const crc64nvme = head.ChecksumCRC64NVME;
  if (sha256 === undefined && crc64nvme === undefined) {
    throw new Failure('refused', `Neither the manifest nor S3 has a checksum of ${url}: restore it by hand.`);
  }
  const major = /^pg_dump (\d+)/.exec(manifest.dump.client ?? '')?.[1];
  return {
    object,
    bytes,
    etag: head.ETag ?? '',
    sha256,
    crc64nvme,
    databaseBytes: manifest.source.databaseBytes ?? 0,
    serverVersion: manifest.source.serverVersion,
    clientMajor: major === undefined ? null : Number(major),
  };
}

/**
 * Reads the dump from its first byte to its last, and holds what came against the proof.
 *
 * @throws {Failure} as S3 fails; `verificationFailed`, behind the last byte, if they are not the bytes that were proven
 */
export async function* readStoredDump(
  client: S3Client,
  dump: StoredDump,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const whole = new Cuts(() => Infinity);
  const hash = createHash('sha256');
  for await (const part of parts(client, dump, signal)) {
    whole.cut(part);
    hash.update(part);
    yield part;
  }
  whole.close();
  checkProof(dump, checksumsOf(whole.segments, hash.digest('hex')));
}

function checkProof(dump: StoredDump, { sha256, crc64nvme }: Checksums): void {
  if ((dump.sha256 ?? sha256) !== sha256 || (dump.crc64nvme ?? crc64nvme) !== crc64nvme) {
    throw new Failure(
      'verificationFailed',
      `s3://${dump.object.bucket}/${dump.object.key} is not the dump that was proven: its bytes have the SHA-256 ${sha256} and ` +
        `the CRC64NVME ${crc64nvme}, and should have ${[dump.sha256, dump.crc64nvme].filter(Boolean).join(' and ')}. Do not ` +
        'rely on this object.',
    );
  }
}

/** The parts of the dump in their order, some of them read ahead. */
async function* parts(
  client: S3Client,
  dump: StoredDump,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const coming: Promise<Buffer>[] = [];
  try {
    for (let start = 0; start < dump.bytes || coming.length > 0;) {
      while (coming.length < AHEAD && start < dump.bytes) {
        const part = readPart(client, dump, start, signal);
        // A part that fails is told of when its turn has come.
        part.catch(() => undefined);
        coming.push(part);
        start += PART_BYTES;
      }
      const next = await coming.shift();
      if (next !== undefined) {
        yield next;
      }
    }
  } finally {
    await Promise.allSettled(coming);
  }
}

async function readPart(
  client: S3Client,
  { object: { bucket, key }, bytes, etag }: StoredDump,
  start: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const last = Math.min(start + PART_BYTES, bytes) - 1;
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${start}-${last}`, IfMatch: etag });
  for (let attempt = 1; ; attempt++) {
    try {
      const { Body: body } = await client.send(command, { abortSignal: signal });
      const { buffer, byteOffset, byteLength } = (await body?.transformToByteArray()) ?? new Uint8Array();
      const part = Buffer.from(buffer, byteOffset, byteLength);
      if (part.length === last - start + 1) {
        return part;
      }
      throw new Failure(
        'tryAgain',
        `S3 sent ${part.length} bytes of s3://${bucket}/${key} in place of ${last - start + 1}.`,
      );
    } catch (error) {
      signal.throwIfAborted();
      if (networkCode(error) === undefined || attempt === ATTEMPTS) {
        throw awsFailure(`read s3://${bucket}/${key}`, error);
      }
    }
  }
}
