import { z } from 'zod';
import type { DumpResult } from '../engine/make-dump.ts';
import type { Plan } from '../plan/plan.ts';
import { expiryOf } from '../plan/retention.ts';
import type { PostgresClient } from '../postgres/clients.ts';
import { type Database, PARTITION_BASES } from '../postgres/database.ts';
import { filtersSchema } from '../postgres/filters/filters.ts';
import { type LeftOut, leftOutSchema } from '../postgres/filters/left-out.ts';
import type { Inventory } from '../postgres/inventory.ts';
import { type Needs, needsSchema } from '../postgres/needs/needs.ts';
import { STORAGE_CLASSES } from '../s3/object.ts';
import { inWholeSeconds } from '../time.ts';
import { runOf, runSchema } from './manifest-run.ts';
import { contentHash, tableSchema, tablesOf } from './manifest-tables.ts';
import { restoreCommand, restoreJobCommand } from './restore-command.ts';

const text = z.string();
const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const seconds = z.number().nonnegative();
const time = z.iso.datetime({ precision: 0 }).describe('UTC, whole seconds');

/**
 * The object `<key>.json` beside a dump; `manifest.schema.json` is generated from this. Fields may be added, but never
 * renamed, removed or given another meaning without a new `manifestVersion`.
 */
export const manifestSchema = z
  .strictObject({
    manifestVersion: z.literal(1),
    secretArn: text,
    execution: text.describe('ARN of the state machine execution'),
    scheduledFor: time,
    source: z
      .strictObject({
        host: text,
        port: count,
        database: text,
        serverVersion: text.nullable(),
        databaseBytes: count.nullable().describe("on the server's disk, indexes included"),
        encoding: text.nullable().describe("PostgreSQL's name: UTF8"),
        locale: z
          .strictObject({
            provider: text.describe('libc, icu or builtin'),
            collate: text,
            ctype: text,
            name: text.nullable().describe("the provider's own, except for libc"),
            rules: text.nullable().describe('of icu, that change its order'),
          })
          .nullable(),
        partitionsDependOn: z
          .array(z.enum(PARTITION_BASES))
          .nullable()
          .describe('what decides about the partition of a row, in tables that are partitioned by text'),
        moneyLocale: text.nullable().describe('lc_monetary, if a column has the type money'),
        textSettings: z
          .record(text, text)
          .nullable()
          .describe('settings of the session that decide how it wrote some values, and so about their hashes'),
      })
      .describe('Host, port and database from the secret; in a recovered manifest, as of the recovery'),
    dump: z.strictObject({
      client: text.nullable().describe('program and version'),
      format: z.literal('custom'),
      compression: z.enum(['zstd:3', 'zstd:1', 'gzip:1']).nullable(),
      way: z
        .enum(['file', 'parallel', 'stream'])
        .nullable()
        .describe(
          'whether it was written to a file first, so that it has offsets, put together from files that several connections ' +
            'wrote at the same time, with offsets, too, or streamed, so that it has none',
        ),
      connections: count.optional().describe('that read rows, if way is parallel'),
      reason: text.nullable().describe('why it was streamed'),
    }),
    object: z.strictObject({ bucket: text, key: text }),
    storage: z
      .strictObject({
        class: z.enum(STORAGE_CLASSES),
        expiresAfterDays: count
          .nullable()
          .describe("by its tag; null if the bucket is not the stack's, so that its own lifecycle rules decide"),
      })
      .nullable()
      .describe('as the dump was created; it may have been kept longer since'),
    proof: z.strictObject({
      bytes: count,
      sha256: sha256.nullable().describe('of the whole object'),
      sections: z
        .array(z.strictObject({ bytes: count, sha256 }))
        .optional()
        .describe('if way is parallel, in place of sha256: the head and the rest, in sections, one after the other'),
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
      method: text.describe('how it was proven, in full sentences'),
    }),
    seconds: z
      .strictObject({ dump: seconds, proof: seconds, commit: seconds })
      .nullable()
      .describe('from the start of pg_dump to its end, to the end of the proof, and to the commit'),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    recovered: z.boolean().describe('whether a later attempt wrote this than the one that made the dump'),
    restore: text.describe('shell command that restores the dump by hand'),
    restoreJob: text.describe('shell command that restores the dump with the restore job of the stack'),
    extensions: z.array(z.strictObject({ name: text, version: text })).nullable(),
    tables: z.array(tableSchema).nullable(),
    largeObjects: z
      .strictObject({
        count,
        bytes: count,
        contentHash: contentHash.describe(
          'sum modulo 2^64 of the XXH64 with seed 0 of each: its number as four bytes, big-endian, then its content',
        ),
      })
      .nullable()
      .describe('in the dump, counted while it was proven'),
    filters: filtersSchema.nullable().describe('patterns of the secret'),
    leftOut: leftOutSchema.nullable().describe('what the filters left out'),
    assertions: z.array(text).nullable().describe('SQL of the secret, which must be true in a drill'),
    needs: needsSchema.nullable().describe('what the database needs besides its dump, without passwords'),
    run: runSchema.nullable().describe('null if the secret names a single database'),
  })
  .describe('Manifest of a dump by AutoDump. In a recovered one, fields that are no longer known are null.');

export type Manifest = z.infer<typeof manifestSchema>;

/** A dump that this run made, with its database and tools. */
export interface FinishedDump {
  readonly database: Pick<
    Database,
    'version' | 'size' | 'encoding' | 'locale' | 'partitionsDependOn' | 'moneyLocale' | 'textSettings'
  >;
  readonly inventory: Inventory;
  readonly leftOut: LeftOut;
  readonly needs: Needs;
  readonly client: PostgresClient;
  readonly result: DumpResult;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

const READ =
  'read every byte and converted all data to SQL, in which the rows were counted, and the structure of the archive was checked to the last byte';

/** What pg_restore did. */
const METHODS: Readonly<Record<DumpResult['mode']['mode'], string>> = {
  file: `${READ}; then the complete file was read again and compared.`,
  parallel: `${READ}: first the data, table by table, and at the end the table of contents. The SHA-256 are of these two.`,
  stream: `${READ}.`,
};

function common(plan: Plan) {
  const { task, source, object } = plan;
  const { host, port, database } = source;
  const { bucket, key } = object;
  return {
    manifestVersion: 1,
    secretArn: task.secretArn,
    execution: task.execution,
    scheduledFor: task.scheduledFor,
    source: { host, port, database },
    object: { bucket, key },
    restore: restoreCommand(object),
    restoreJob: restoreJobCommand(object, task),
    run: runOf(plan),
  } as const;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The manifest of a dump that this run made, proven and uploaded. */
export function manifestOf(plan: Plan, finished: FinishedDump): Manifest {
  const { source, ...rest } = common(plan);
  const { database, inventory, leftOut, needs, client, result } = finished;
  const { checksums, census, seconds, mode } = result;
  const { count, bytes, hash } = census.largeObjects;
  return {
    ...rest,
    source: {
      ...source,
      serverVersion: database.version,
      databaseBytes: database.size,
      encoding: database.encoding,
      locale: database.locale,
      partitionsDependOn: [...database.partitionsDependOn],
      moneyLocale: database.moneyLocale,
      textSettings: database.textSettings,
    },
    dump: {
      client: `pg_dump ${client.version}`,
      format: 'custom',
      compression: result.compression,
      way: mode.mode,
      ...(mode.mode === 'parallel' ? { connections: mode.jobs } : {}),
      reason: mode.mode === 'stream' ? mode.reason : null,
    },
    storage: {
      class: plan.object.storageClass ?? STORAGE_CLASSES[0],
      expiresAfterDays: expiryOf(plan.object.retention, plan.task.retentionDays),
    },
    proof: {
      ...checksums,
      sections: checksums.sections?.slice(),
      crc64nvme: null,
      verified: true,
      method:
        `Before the commit, pg_restore ${client.version} ${METHODS[mode.mode]} ` +
        'The checksums are of those bytes. S3 received the CRC32 of each part and of the whole object, and rejects anything that differs.',
    },
    seconds: { dump: tenths(seconds.dump), proof: tenths(seconds.proof), commit: tenths(seconds.commit) },
    startedAt: inWholeSeconds(finished.startedAt),
    finishedAt: inWholeSeconds(finished.finishedAt),
    recovered: false,
    extensions: [...inventory.extensions],
    tables: tablesOf(inventory.tables, census.tables),
    largeObjects: { count, bytes, contentHash: hash },
    filters: plan.filters,
    leftOut,
    assertions: [...plan.assertions],
    needs,
  };
}

/** The manifest of a dump that an earlier attempt uploaded without writing its manifest. */
export function recoveredManifest(plan: Plan, bytes: number): Manifest {
  const { source, ...rest } = common(plan);
  return {
    ...rest,
    source: {
      ...source,
      serverVersion: null,
      databaseBytes: null,
      encoding: null,
      locale: null,
      partitionsDependOn: null,
      moneyLocale: null,
      textSettings: null,
    },
    storage: null,
    dump: { client: null, format: 'custom', compression: null, way: null, reason: null },
    proof: {
      bytes,
      sha256: null,
      crc32: null,
      crc64nvme: null,
      verified: true,
      method:
        'Proven by the earlier attempt that uploaded it: a dump is committed only after pg_restore has read every byte of it. ' +
        'S3 stores its checksum and, if one connection made it and it was uploaded in one part, its SHA-256 as metadata of the object.',
    },
    seconds: null,
    startedAt: null,
    finishedAt: null,
    recovered: true,
    extensions: null,
    tables: null,
    filters: null,
    leftOut: null,
    largeObjects: null,
    assertions: null,
    needs: null,
  };
}
