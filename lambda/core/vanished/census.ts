import * as z from 'zod/mini';
import { nameOf } from '../../../contract.ts';
import { parsedJson } from '../parsed-json.ts';

const names = z.optional(z.array(z.string()));

const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  tables: z.nullable(
    z.array(
      z.object({
        schema: z.string(),
        name: z.string(),
        /** Manifests of earlier versions do not have it. */
        provenRows: z.optional(z.nullable(z.number())),
        /** Of a partition, the name of the topmost partitioned table. */
        partitionOf: z.optional(z.nullable(z.string())),
      }),
    ),
  ),
  largeObjects: z.optional(z.nullable(z.object({ count: z.number() }))),
  leftOut: z.optional(
    z.nullable(z.object({ schemas: names, tables: names, rows: names, objectsWithoutSchema: z.optional(z.boolean()) })),
  ),
});

export interface CountedTable {
  /** Qualified, quoted where SQL demands it. */
  readonly name: string;
  /** Rows in the dump; undefined if it has none of the table. */
  readonly rows: number | undefined;
  /** Name of the topmost partitioned table, if this is a partition. */
  readonly partitionOf: string | undefined;
}

/** The rows of a dump, as its manifest counts them. */
export interface Census {
  readonly tables: readonly CountedTable[];
  /** How many; undefined if the dump has none of them, or they were not counted. */
  readonly largeObjects: number | undefined;
  /** Whether filters left out the rows of a table. */
  readonly isLeftOut: (name: string) => boolean;
  /** Whether its partitions say that they are. */
  readonly hasPartitions: boolean;
}

/** @returns undefined if the manifest does not count the rows: it is a recovered one, or of an earlier version */
export function censusIn(manifest: string): Census | undefined {
  const { data } = manifestSchema.safeParse(parsedJson(manifest));
  const tables = data?.tables ?? undefined;
  if (tables === undefined || (tables.length > 0 && tables.every(({ provenRows }) => provenRows === undefined))) {
    return undefined;
  }
  const { schemas = [], tables: withoutTable = [], rows = [], objectsWithoutSchema = false } = data?.leftOut ?? {};
  const leftOut = new Set([...withoutTable, ...rows]);
  return {
    tables: tables.map(({ schema, name, provenRows, partitionOf }) => ({
      name: nameOf({ schema, name }),
      rows: provenRows ?? undefined,
      partitionOf: partitionOf ?? undefined,
    })),
    largeObjects: objectsWithoutSchema ? undefined : data?.largeObjects?.count,
    isLeftOut: (name) => leftOut.has(name) || schemas.some((schema) => name.startsWith(`${schema}.`)),
    hasPartitions: tables.some(({ partitionOf }) => partitionOf !== undefined && partitionOf !== null),
  };
}
