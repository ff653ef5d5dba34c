import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { awsFailure } from '../aws.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';
import type { ListedDump } from '../s3/list-dumps.ts';

/** What a dump has of a table, by its manifest. */
export type TableInDump =
  /** Bytes are those that its rows take in the dump; the hash is of their contents. */
  | { readonly kind: 'counted'; readonly rows: number; readonly bytes: number; readonly hash: string }
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
  const found = tables.find((each) => each.schema === name.schema && each.name === name.name);
  return { table: describe(found, nameOf(name), leftOut ?? { tables: [], rows: [] }), names: tables.map(nameOf) };
}

type FoundTable = NonNullable<z.infer<typeof schema>['tables']>[number] | undefined;

function describe(
  found: FoundTable,
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
  const { rows, provenRows, contentHash: hash, length: bytes } = found;
  if (typeof provenRows === 'number' && typeof hash === 'string' && typeof bytes === 'number') {
    return { kind: 'counted', rows: provenRows, bytes, hash };
  }
  return provenRows === null ? { kind: 'no rows', reason: 'it has none of its rows' } : { kind: 'estimated', rows };
}
