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
}

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Estimate; null if the table was never analyzed. */
  readonly rows: number | null;
  /** Bytes on disk without indexes and out-of-line (TOAST) values, as of the last VACUUM or ANALYZE. */
  readonly bytes: number;
}

export interface Extension {
  readonly name: string;
  readonly version: string;
}

const BLOCK = "current_setting('block_size')::bigint";

/** Connection and server errors pass through. */
export async function takeInventory(client: Client, { relations }: Exclusions): Promise<Inventory> {
  const tables = await queryRows(
    client,
    `SELECT c.oid::bigint, n.nspname AS schema, c.relname AS name, c.reltuples::bigint AS rows, c.relpages * ${BLOCK} AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND ${IS_USER_SCHEMA} AND ${isNoneOf('c.oid', relations)}
     ORDER BY 2, 3`,
    z.object({ oid: bigint, schema: z.string(), name: z.string(), rows: bigint, bytes: bigint }),
  );
  const extensions = await queryRows(
    client,
    'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1',
    z.object({ name: z.string(), version: z.string() }),
  );
  const indexes = await queryRow(
    client,
    `SELECT coalesce(sum(relpages), 0) * ${BLOCK} AS bytes FROM pg_class WHERE relkind = 'i'`,
    z.object({ bytes: bigint }),
  );
  return {
    // A table that was never analyzed has -1 rows; before version 14, 0 rows and 0 pages.
    tables: tables.map(({ rows, ...table }) => {
      const isKnown = rows > 0 || (rows === 0 && table.bytes > 0);
      return { ...table, rows: isKnown ? rows : null };
    }),
    extensions,
    indexBytes: indexes.bytes,
  };
}
