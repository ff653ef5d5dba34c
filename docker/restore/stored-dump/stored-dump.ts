import { GetObjectCommand, HeadObjectCommand, type HeadObjectOutput, type S3Client } from '@aws-sdk/client-s3';
import { pMapIterable } from 'p-map';
import pRetry from 'p-retry';
import { z } from 'zod';
import type { DataBlock } from '../../archive/archive-structure.ts';
import { awsFailure } from '../../aws.ts';
import { Failure } from '../../failure.ts';
import { networkCode } from '../../network.ts';
import { type Locale, PARTITION_BASES, type PartitionBasis } from '../../postgres/database.ts';
import { type LeftOut, leftOutSchema } from '../../postgres/filters/left-out.ts';
import { type DatabaseNeeds, databaseNeedsSchema } from '../../postgres/needs/database-needs.ts';
import { type Role, roleSchema } from '../../postgres/needs/role-needs.ts';
import type { DumpObject } from '../../s3/object.ts';
import { type DumpChecksum, startChecksum } from './dump-checksum.ts';
import { censusSchema, storedCensus, type StoredCensus } from './stored-census.ts';

/** A dump in S3, as described by its manifest. */
export interface StoredDump {
  readonly object: DumpObject;
  /** UTC, RFC 3339, whole seconds. */
  readonly scheduledFor: string;
  readonly bytes: number;
  readonly etag: string;
  readonly checksum: DumpChecksum;
  /** Size of the dumped database on its server's disk; 0 if unknown. */
  readonly databaseBytes: number;
  /** Version of the dumped server; null in a recovered manifest. */
  readonly serverVersion: string | null;
  /** Of the dumped database; null in a recovered manifest, and in those of earlier versions. */
  readonly locale: Locale | null;
  /** What decides about the partition of a row, in tables that are partitioned by text; null as above. */
  readonly partitionsDependOn: readonly PartitionBasis[] | null;
  /** `lc_monetary`, by which values of the type `money` were written; null if there are none, and as above. */
  readonly moneyLocale: string | null;
  /** What the filters of its secret left out; null if the manifest does not say. */
  readonly leftOut: LeftOut | null;
  /** Owner, settings, grants and the like of the dumped database; null if the manifest does not say. */
  readonly databaseNeeds: DatabaseNeeds | null;
  /** The roles that the dump refers to; null if the manifest does not say. */
  readonly roles: readonly Role[] | null;
  /** What was counted in it; null in a recovered manifest, and in those of earlier versions. */
  readonly census: StoredCensus | null;
  /** SQL queries that must return true in a drill; null as above. */
  readonly assertions: readonly string[] | null;
  /** Major version of the pg_dump that made the dump; null in a recovered manifest. */
  readonly clientMajor: number | null;
}

const MIB = 1024 * 1024;

/**
 * Bytes per request, and concurrent requests. Memory holds one part for each of them and the part being consumed, and
 * each of these twice while the SDK concatenates its chunks.
 */
const PART_BYTES = 8 * MIB;
const IN_FLIGHT = 4;

/** Attempts to read a part whose connection breaks while its body arrives. The SDK retries only before that. */
const ATTEMPTS = 5;

const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  scheduledFor: z.iso.datetime({ precision: 0 }),
  source: z.object({
    serverVersion: z.string().nullable(),
    databaseBytes: z.number().nullish(),
    locale: z
      .object({
        provider: z.string(),
        collate: z.string(),
        ctype: z.string(),
        name: z.string().nullable(),
        // Absent in manifests of earlier versions.
        rules: z.string().nullable().default(null),
      })
      .nullish(),
    partitionsDependOn: z.array(z.enum(PARTITION_BASES)).nullish(),
    moneyLocale: z.string().nullish(),
    textSettings: z.record(z.string(), z.string()).nullish(),
  }),
  dump: z.object({
    client: z
      .string()
      .regex(/^pg_dump \d+/)
      .nullable(),
    format: z.literal('custom'),
  }),
  proof: z.object({
    bytes: z.number().int(),
    sha256: z.string().nullable(),
    sections: z.array(z.object({ bytes: z.int().positive(), sha256: z.string() })).optional(),
    // Absent in manifests of earlier versions.
    crc32: z.string().nullish(),
    verified: z.literal(true),
  }),
  ...censusSchema.shape,
  // Absent in manifests of earlier versions.
  leftOut: leftOutSchema.nullish(),
  // Absent in manifests of earlier versions.
  needs: z.object({ database: databaseNeedsSchema.nullable(), roles: z.array(roleSchema).nullable() }).nullish(),
  // Absent in manifests of earlier versions.
  assertions: z.array(z.string()).nullish(),
});

type StoredManifest = z.infer<typeof manifestSchema>;

/** Whether the key does not exist. To a role that may not list the bucket, S3 answers 403 instead. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

async function readManifest(s3: S3Client, { bucket, key }: DumpObject, signal: AbortSignal): Promise<StoredManifest> {
  const url = `s3://${bucket}/${key}.json`;
  let text: string;
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: `${key}.json` });
    const { Body: body } = await s3.send(command, { abortSignal: signal });
    text = (await body?.transformToString()) ?? '';
  } catch (error) {
    signal.throwIfAborted();
    if (isMissing(error)) {
      throw new Failure(
        'refused',
        `There is no manifest ${url}, and without it the dump cannot be checked. Is this the key of a dump? If its ` +
          'manifest has been lost, restore the dump by hand: aws s3 cp, then pg_restore.',
      );
    }
    throw awsFailure(`read the manifest ${url}`, error);
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    throw new Failure('refused', `${url} is not a manifest that this version of AutoDump can read: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * Finds the dump and its manifest, and checks the size of the dump.
 *
 * @throws {Failure} `refused`, `tryAgain`; `verificationFailed` if the dump does not have the proven size
 */
export async function findStoredDump(s3: S3Client, object: DumpObject, signal: AbortSignal): Promise<StoredDump> {
  const url = `s3://${object.bucket}/${object.key}`;
  const { scheduledFor, source, dump, proof, leftOut, needs, assertions, ...rest } = await readManifest(
    s3,
    object,
    signal,
  );
  const head = await s3
    .send(new HeadObjectCommand({ Bucket: object.bucket, Key: object.key, ChecksumMode: 'ENABLED' }), {
      abortSignal: signal,
    })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      throw isMissing(error)
        ? new Failure('refused', `There is a manifest, but no dump ${url}.`, { cause: error })
        : awsFailure(`find ${url}`, error);
    });
  if (head.ContentLength !== proof.bytes) {
    throw new Failure(
      'verificationFailed',
      `${url} has ${head.ContentLength ?? 0} bytes, but ${proof.bytes} bytes were proven. Do not rely on this object.`,
    );
  }
  const checksum = strongestChecksum(proof, head);
  if (checksum === undefined) {
    throw new Failure(
      'refused',
      `Neither the manifest nor S3 has a checksum of ${url}, so the dump cannot be checked. Restore it by hand: aws s3 cp, ` +
        'then pg_restore.',
    );
  }
  const clientMajor = /^pg_dump (\d+)/.exec(dump.client ?? '')?.[1];
  return {
    object,
    scheduledFor,
    bytes: proof.bytes,
    etag: head.ETag ?? '',
    checksum,
    databaseBytes: source.databaseBytes ?? 0,
    serverVersion: source.serverVersion,
    locale: source.locale ?? null,
    partitionsDependOn: source.partitionsDependOn ?? null,
    moneyLocale: source.moneyLocale ?? null,
    leftOut: leftOut ?? null,
    databaseNeeds: needs?.database ?? null,
    roles: needs?.roles ?? null,
    census: storedCensus(rest, { textSettings: source.textSettings ?? {}, moneyLocale: source.moneyLocale ?? null }),
    assertions: assertions ?? null,
    clientMajor: clientMajor === undefined ? null : Number(clientMajor),
  };
}

/** S3 has compared its own checksum of every dump with that of the proven bytes. A recovered manifest has none. */
function strongestChecksum(proof: StoredManifest['proof'], head: HeadObjectOutput): DumpChecksum | undefined {
  if (proof.sections) {
    return {
      algorithm: 'SHA-256',
      value: proof.sections.map(({ sha256 }) => sha256).join(),
      sections: proof.sections.map(({ bytes }) => bytes),
    };
  }
  const candidates = [
    { algorithm: 'SHA-256', value: proof.sha256 ?? head.Metadata?.sha256 },
    { algorithm: 'CRC32', value: proof.crc32 ?? head.ChecksumCRC32 },
    { algorithm: 'CRC64NVME', value: head.ChecksumCRC64NVME },
  ] as const;
  return candidates.flatMap(({ algorithm, value }) => (value === undefined ? [] : [{ algorithm, value }])).at(0);
}

/**
 * Reads the dump from the first byte to the last, and compares its checksum with the proven one.
 *
 * @throws {Failure} `refused`, `tryAgain`; `verificationFailed`, after the last byte, if the bytes are not the proven
 * ones
 */
export async function* readStoredDump(
  s3: S3Client,
  dump: StoredDump,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const { algorithm, value: proven } = dump.checksum;
  const checksum = startChecksum(dump.checksum);
  for await (const part of readBlock(s3, dump, { offset: 0, length: dump.bytes }, signal)) {
    checksum.update(part);
    yield part;
  }
  const found = await checksum.digest();
  if (found !== proven) {
    throw new Failure(
      'verificationFailed',
      `s3://${dump.object.bucket}/${dump.object.key} is not the dump that was proven: its ${algorithm} is ${found}, but ` +
        `that of the proven dump is ${proven}. Do not rely on this object.`,
    );
  }
}

/**
 * Reads some bytes of the dump in order and in parts, which are read ahead. There is no checksum of them.
 *
 * @throws {Failure} `refused`, `tryAgain`
 */
export async function* readBlock(
  s3: S3Client,
  dump: StoredDump,
  { offset, length }: DataBlock,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const parts = Array.from({ length: Math.ceil(length / PART_BYTES) }, (_, index) => ({
    offset: offset + index * PART_BYTES,
    length: Math.min(PART_BYTES, length - index * PART_BYTES),
  }));
  // Ends the requests ahead when the consumer stops early.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    yield* pMapIterable(parts, (part) => readPart(s3, dump, part, either), { concurrency: IN_FLIGHT });
  } finally {
    stop.abort();
  }
}

async function readPart(
  s3: S3Client,
  { object: { bucket, key }, etag }: StoredDump,
  { offset, length }: DataBlock,
  signal: AbortSignal,
): Promise<Buffer> {
  const range = `bytes=${offset}-${offset + length - 1}`;
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: etag });
  const read = async () => {
    const { Body: body } = await s3.send(command, { abortSignal: signal });
    const { buffer, byteOffset, byteLength } = (await body?.transformToByteArray()) ?? new Uint8Array();
    return Buffer.from(buffer, byteOffset, byteLength);
  };
  const part = await pRetry(read, {
    retries: ATTEMPTS - 1,
    minTimeout: 0,
    shouldRetry: ({ error }) => networkCode(error) !== undefined,
    signal,
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw awsFailure(`read s3://${bucket}/${key}`, error);
  });
  if (part.length !== length) {
    throw new Failure('tryAgain', `S3 sent ${part.length} bytes of s3://${bucket}/${key} instead of ${length}.`);
  }
  return part;
}
