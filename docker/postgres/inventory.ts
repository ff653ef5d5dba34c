import type { Client } from 'pg';
import { queryRow } from './query.ts';

/** Contents of a database by the server's statistics: no rows are counted, and no table is locked or read. */
export interface Inventory {
  readonly tables: readonly Table[];
  readonly extensions: readonly Extension[];
  /** Bytes of the indexes, which a dump does not contain, as of the last VACUUM, ANALYZE or CREATE INDEX. */
  readonly indexBytes: number;
}

export interface Table {
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
export async function takeInventory(client: Client): Promise<Inventory> {
  const { rows: tables } = await client.query<{ schema: string; name: string; rows: string; bytes: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.reltuples::bigint AS rows, c.relpages * ${BLOCK} AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 1, 2`,
  );
  const { rows: extensions } = await client.query<Extension>(
    'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1',
  );
  const indexes = await queryRow<{ bytes: string }>(
    client,
    `SELECT coalesce(sum(relpages), 0) * ${BLOCK} AS bytes FROM pg_class WHERE relkind = 'i'`,
  );
  return {
    // A table that was never analyzed has -1 rows; before version 14, 0 rows and 0 pages.
    tables: tables.map(({ schema, name, rows, bytes }) => {
      const isKnown = Number(rows) > 0 || (Number(rows) === 0 && Number(bytes) > 0);
      return { schema, name, rows: isKnown ? Number(rows) : null, bytes: Number(bytes) };
    }),
    extensions,
    indexBytes: Number(indexes.bytes),
  };
}
