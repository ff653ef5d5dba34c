import { z } from 'zod';
import type { TableCensus } from '../census/census-taker.ts';
import type { Table } from '../postgres/inventory.ts';
import { nameOf } from '../postgres/names/quoting.ts';

const count = z.int().nonnegative();

export const contentHash = z.string().regex(/^[0-9a-f]{16}$/);

/** A table in a manifest. */
export const tableSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  rows: count.nullable().describe("the server's estimate before the dump, null if it had none"),
  bytes: count.describe("on the server's disk, by its statistics before the dump, indexes excluded"),
  provenRows: count.nullable().describe('in the dump, counted while it was proven; null if the dump has none of it'),
  contentHash: contentHash
    .nullable()
    .describe('of these rows: sum modulo 2^64 of the XXH64 with seed 0 of each, as text of COPY, hexadecimal'),
  offset: count.nullable().describe('byte of the object at which their data begin'),
  length: count.nullable().describe('bytes of the object that their data take'),
  partitionOf: z
    .string()
    .optional()
    .describe('of a partition, the topmost partitioned table that it belongs to, qualified: public."Orders"'),
});

type ManifestTable = z.infer<typeof tableSchema>;

/**
 * The tables of the database as they were seen before the dump, with what the dump has of them, and after them those
 * that were created in between, of which it is not known whether they are partitions.
 */
export function tablesOf(tables: readonly Table[], census: readonly TableCensus[]): ManifestTable[] {
  const dumped = new Map(census.map((table) => [table.oid, table]));
  const seen = new Set(tables.map(({ oid }) => oid));
  return [
    ...tables.map(({ oid, partitionOf, ...table }) => ({
      ...table,
      ...proven(dumped.get(oid)),
      ...(partitionOf === null ? {} : { partitionOf: nameOf(partitionOf) }),
    })),
    ...census
      .filter(({ oid }) => !seen.has(oid))
      .map((table) => ({ schema: table.schema, name: table.name, rows: null, bytes: 0, ...proven(table) })),
  ];
}

function proven(table?: TableCensus): Pick<ManifestTable, 'provenRows' | 'contentHash' | 'offset' | 'length'> {
  return {
    provenRows: table?.count ?? null,
    contentHash: table?.hash ?? null,
    offset: table?.offset ?? null,
    length: table?.length ?? null,
  };
}
