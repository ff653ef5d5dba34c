import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { awsFailure } from '../aws.ts';
import { sumOf } from '../census/row-hash.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';
import type { ListedDump } from '../s3/list-dumps.ts';

/** Rows of a table, the bytes that they take in the dump, and the hash of their contents. */
interface CountedInDump {
  readonly kind: 'counted';
  readonly rows: number;
  readonly bytes: number;
  readonly hash: string;
  /** Of a partitioned table, of how many partitions they are, and how many are in the dump without rows. */
  readonly partitions?: { readonly counted: number; readonly withoutRows: number };
}

/** What a dump has of a table, by its manifest. */
export type TableInDump =
  | CountedInDump
  /** Rows by the server's statistics; null if it had none. */
  | { readonly kind: 'estimated'; readonly rows: number | null }
  | { readonly kind: 'no table' }
  /** The dump has the table without rows, or what it has is unknown. */
  | { readonly kind: 'no rows' | 'unknown'; readonly reason: string };

/** A dump with what its manifest says of a table, and the names of all tables in it. */
export interface Reading {
  readonly table: TableInDump;
  /** For the reader. */
  readonly names: readonly string[];
}

const schema = z.object({
  manifestVersion: z.literal(1),
  // Null in a recovered manifest.
  tables: z
    .array(
      z.object({
        schema: z.string(),
        name: z.string(),
        rows: z.int().nullable(),
        // Absent in manifests of earlier versions.
        provenRows: z.int().nullish(),
        contentHash: z.string().nullish(),
        length: z.int().nullish(),
        partitionOf: z.string().nullish(),
      }),
    )
    .nullable(),
  // Absent in manifests of earlier versions.
  leftOut: z.object({ tables: z.array(z.string()), rows: z.array(z.string()) }).nullish(),
});

/** @throws {Failure} `refused`, `tryAgain` if the manifest cannot be fetched */
export async function readTable(
  s3: S3Client,
  { bucket, key, hasManifest }: ListedDump,
  table: TableName,
  signal: AbortSignal,
): Promise<Reading> {
  if (!hasManifest) {
    return { table: { kind: 'unknown', reason: 'there is no manifest' }, names: [] };
  }
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: `${key}.json` });
    const { Body: body } = await s3.send(command, { abortSignal: signal });
    return tableIn((await body?.transformToString()) ?? '', table);
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`read the manifest s3://${bucket}/${key}.json`, error);
  }
}

/** @param manifest the text of one */
export function tableIn(manifest: string, name: TableName): Reading {
  let parsed: z.infer<typeof schema>;
  try {
    parsed = schema.parse(JSON.parse(manifest));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    return { table: { kind: 'unknown', reason: `the manifest cannot be read: ${reason}` }, names: [] };
  }
  const { tables, leftOut } = parsed;
  if (tables === null) {
    const reason = 'the manifest was written by a later attempt than the one that made the dump';
    return { table: { kind: 'unknown', reason }, names: [] };
  }
  const written = nameOf(name);
  const partitions = tables.filter(({ partitionOf }) => partitionOf === written);
  const found = tables.find((table) => nameOf(table) === written);
  return {
    table: together(partitions) ?? describe(found, written, leftOut ?? { tables: [], rows: [] }),
    names: [...new Set(tables.flatMap((table) => [nameOf(table), ...(table.partitionOf ? [table.partitionOf] : [])]))],
  };
}

type FoundTable = NonNullable<z.infer<typeof schema>['tables']>[number];

/** A table with a count, or undefined if the dump has no rows of it. */
function countedIn({ provenRows: rows, contentHash: hash, length: bytes }: FoundTable): CountedInDump | undefined {
  return typeof rows === 'number' && typeof hash === 'string' && typeof bytes === 'number'
    ? { kind: 'counted', rows, bytes, hash }
    : undefined;
}

/** What a dump has of a partitioned table; undefined if there is no partition. */
function together(partitions: readonly FoundTable[]): TableInDump | undefined {
  const counted = partitions.flatMap((partition) => countedIn(partition) ?? []);
  if (counted.length === 0) {
    return partitions.length === 0 ? undefined : { kind: 'no rows', reason: 'it has none of its rows' };
  }
  return {
    kind: 'counted',
    rows: counted.reduce((sum, { rows }) => sum + rows, 0),
    bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0),
    hash: sumOf(counted.map(({ hash }) => hash)),
    partitions: { counted: counted.length, withoutRows: partitions.length - counted.length },
  };
}

function describe(
  found: FoundTable | undefined,
  name: string,
  leftOut: { readonly tables: readonly string[]; readonly rows: readonly string[] },
): TableInDump {
  if (leftOut.tables.includes(name)) {
    return { kind: 'no rows', reason: 'filters left the table out' };
  }
  if (leftOut.rows.includes(name)) {
    return { kind: 'no rows', reason: 'filters left its rows out' };
  }
  if (found === undefined) {
    return { kind: 'no table' };
  }
  const { rows, provenRows } = found;
  const counted = countedIn(found);
  if (counted !== undefined) {
    return counted;
  }
  return provenRows === null ? { kind: 'no rows', reason: 'it has none of its rows' } : { kind: 'estimated', rows };
}
