import { z } from 'zod';
import type { DumpResult } from '../engine/make-dump.ts';
import type { Plan } from '../plan/plan.ts';
import type { Compression, PostgresClient } from '../postgres/clients.ts';
import type { Database } from '../postgres/database.ts';
import type { Inventory } from '../postgres/inventory.ts';
import { restoreCommand, restoreJobCommand } from './restore-command.ts';

const text = z.string();
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
const time = z.iso.datetime({ precision: 0 }).describe('UTC, whole seconds');

/**
 * The object `<key>.json` beside a dump; `manifest.schema.json` is made of this. Fields may be added, but never renamed,
 * removed or given another meaning without another `manifestVersion`.
 */
export const manifestSchema = z
  .strictObject({
    manifestVersion: z.literal(1),
    secretArn: text,
    execution: text.describe('ARN of the execution of the state machine'),
    scheduledFor: time,
    source: z
      .strictObject({
        host: text,
        port: count,
        database: text,
        serverVersion: text.nullable(),
        databaseBytes: count.nullable().describe("on the server's disk, indexes included"),
      })
      .describe('Host, port and database as the secret said; in a recovered manifest, as it said then'),
    dump: z.strictObject({
      client: text.nullable().describe('program and version'),
      format: z.literal('custom'),
      compression: z.enum(['zstd:3', 'gzip:1']).nullable(),
      way: z
        .enum(['file', 'stream'])
        .nullable()
        .describe('through a file, so that it has offsets, or streamed, so that it has none'),
      reason: text.nullable().describe('why it was streamed'),
    }),
    object: z.strictObject({ bucket: text, key: text }),
    proof: z.strictObject({
      bytes: count,
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
      crc32: z
        .string()
        .regex(/^[A-Za-z0-9+/]{6}==$/)
        .nullable()
        .describe('base64, of the whole object, as S3 stores it'),
      crc64nvme: z
        .string()
        .regex(/^[A-Za-z0-9+/]{11}=$/)
        .nullable()
        .describe('base64, of the whole object; only earlier versions wrote it, and it is always null now'),
      verified: z.literal(true),
      method: text.describe('how it was verified, in whole sentences'),
    }),
    seconds: z
      .strictObject({ dump: seconds, proof: seconds, commit: seconds })
      .nullable()
      .describe('from the start of pg_dump to its end, to the end of the proof, and to the commit'),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    recovered: z.boolean().describe('written by a later attempt than the one that made the dump'),
    restore: text.describe('shell command that restores the dump by hand'),
    restoreJob: text.describe('shell command that restores the dump by a job of the stack that made it'),
    extensions: z.array(z.strictObject({ name: text, version: text })).nullable(),
    tables: z
      .array(z.strictObject({ schema: text, name: text, rows: count.nullable(), bytes: count }))
      .nullable()
      .describe("by the server's statistics: rows are estimates, null where there are none; bytes are without indexes"),
  })
  .describe('Manifest of a dump by AutoDump. In a recovered one, what is not known any more is null.');

export type Manifest = z.infer<typeof manifestSchema>;

/** What a run knows of the dump that it made. */
export interface Made {
  readonly database: Pick<Database, 'version' | 'size'>;
  readonly inventory: Inventory;
  readonly client: PostgresClient;
  readonly compression: Compression;
  readonly product: DumpResult;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

function wholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function common({ task, target, object }: Plan) {
  const { host, port, database } = target;
  return {
    manifestVersion: 1,
    secretArn: task.secretArn,
    execution: task.execution,
    scheduledFor: task.scheduledFor,
    source: { host, port, database },
    object,
    restore: restoreCommand(object),
    restoreJob: restoreJobCommand(object, task),
  } as const;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The manifest of a dump that this run has made, proven and uploaded. */
export function manifestOf(plan: Plan, made: Made): Manifest {
  const { source, ...rest } = common(plan);
  const { database, inventory, client, compression, product } = made;
  const { checksums, seconds, mode } = product;
  return {
    ...rest,
    source: { ...source, serverVersion: database.version, databaseBytes: database.size },
    dump: {
      client: `pg_dump ${client.version}`,
      format: 'custom',
      compression,
      way: mode.mode,
      reason: mode.mode === 'stream' ? mode.reason : null,
    },
    proof: {
      ...checksums,
      crc64nvme: null,
      verified: true,
      method:
        `Before the commit pg_restore ${client.version} read every byte and turned all of it into SQL, and its structure was followed to the last byte` +
        (mode.mode === 'file' ? '; then the complete file was read again, and compared. ' : '. ') +
        'The checksums are of those bytes. S3 was given the CRC32 of each part and of the whole object, and stores nothing that differs.',
    },
    seconds: { dump: tenths(seconds.dump), proof: tenths(seconds.proof), commit: tenths(seconds.commit) },
    startedAt: wholeSeconds(made.startedAt),
    finishedAt: wholeSeconds(made.finishedAt),
    recovered: false,
    extensions: [...inventory.extensions],
    tables: [...inventory.tables],
  };
}

/** The manifest of a dump that an earlier attempt uploaded without getting to its manifest. */
export function recoveredManifest(plan: Plan, bytes: number): Manifest {
  const { source, ...rest } = common(plan);
  return {
    ...rest,
    source: { ...source, serverVersion: null, databaseBytes: null },
    dump: { client: null, format: 'custom', compression: null, way: null, reason: null },
    proof: {
      bytes,
      sha256: null,
      crc32: null,
      crc64nvme: null,
      verified: true,
      method:
        'Proven by the earlier attempt that uploaded it: a dump is committed only after pg_restore has read every byte of it. ' +
        'Its CRC32 is with the object, and so is its SHA-256, as metadata, if it went up in one piece.',
    },
    seconds: null,
    startedAt: null,
    finishedAt: null,
    recovered: true,
    extensions: null,
    tables: null,
  };
}
