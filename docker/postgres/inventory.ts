import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow, queryRows } from './connection/query.ts';
import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** Contents of a database by the server's statistics: no rows are counted, and no table is locked or read. */
export interface Inventory {
  readonly tables: readonly Table[];
  readonly extensions: readonly Extension[];
  /** Bytes of the indexes, which a dump does not contain, as of the last VACUUM, ANALYZE or CREATE INDEX. */
  readonly indexBytes: number;
  /** Bytes of large objects on disk. */
  readonly largeObjectBytes: number;
}

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Estimate; null if the table was never analyzed. */
  readonly rows: number | null;
  /** Bytes on disk without indexes and out-of-line (TOAST) values, as of the last VACUUM or ANALYZE. */
  readonly bytes: number;
  /** Of a partition, the topmost partitioned table; null for any other table, even if it inherits from one. */
  readonly partitionOf: { readonly schema: string; readonly name: string } | null;
}

export interface Extension {
  readonly name: string;
  readonly version: string;
}

const BLOCK = "current_setting('block_size')::bigint";

/**
 * The partitions of partitioned tables that are none themselves, and theirs. What inherits from a table of another kind
 * is no partition: it has rows of its own beside those of the table.
 */
const PARTITIONS = `
  RECURSIVE partitions (oid, root) AS (
    SELECT inhrelid, inhparent FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent
    WHERE parent.relkind = 'p' AND NOT EXISTS (SELECT FROM pg_inherits above WHERE above.inhrelid = parent.oid)
    UNION ALL
    SELECT inhrelid, root FROM partitions JOIN pg_inherits ON inhparent = oid
  )`;

/** Connection and server errors pass through. */
export async function takeInventory(client: Client, { relations }: Exclusions): Promise<Inventory> {
  const tables = await queryRows(
    client,
    `WITH ${PARTITIONS}
     SELECT c.oid::bigint, n.nspname AS schema, c.relname AS name, c.reltuples::bigint AS rows, c.relpages * ${BLOCK} AS bytes,
       (SELECT nspname FROM pg_namespace WHERE oid = root.relnamespace) AS "rootSchema", root.relname AS "rootName"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN partitions p ON p.oid = c.oid LEFT JOIN pg_class root ON root.oid = p.root
     WHERE c.relkind = 'r' AND ${IS_USER_SCHEMA} AND ${isNoneOf('c.oid', relations)}
     ORDER BY 2, 3`,
    z.object({
      ...{ oid: bigint, schema: z.string(), name: z.string(), rows: bigint, bytes: bigint },
      ...{ rootSchema: z.string().nullable(), rootName: z.string().nullable() },
    }),
  );
  const extensions = await queryRows(
    client,
    'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1',
    z.object({ name: z.string(), version: z.string() }),
  );
  const sizes = await queryRow(
    client,
    `SELECT (SELECT coalesce(sum(relpages), 0) * ${BLOCK} FROM pg_class WHERE relkind = 'i') AS "indexBytes",
       pg_relation_size('pg_largeobject') AS "largeObjectBytes"`,
    z.object({ indexBytes: bigint, largeObjectBytes: bigint }),
  );
  return {
    // A table that was never analyzed has -1 rows; before version 14, 0 rows and 0 pages.
    tables: tables.map(({ rows, rootSchema: schema, rootName: name, ...table }) => {
      const isKnown = rows > 0 || (rows === 0 && table.bytes > 0);
      const partitionOf = schema === null || name === null ? null : { schema, name };
      return { ...table, rows: isKnown ? rows : null, partitionOf };
    }),
    extensions,
    ...sizes,
  };
}
