import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, majorOf, queryRow } from './query.ts';

/** A database and its server, as seen before a dump. */
export interface Database {
  /** As the server reports it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** `server_version_num`: 160004. */
  readonly versionNumber: number;
  /** Bytes on the server's disk, indexes and dead rows included. */
  readonly size: number;
  /** Set for a replica. */
  readonly replica?: Replica;
}

export interface Replica {
  /** How long a query may delay the replay of the primary's changes: `30s`, or `-1` for no limit. */
  readonly maxDelay: string;
  /** Whether the primary keeps rows that queries on the replica can still see. */
  readonly feedback: boolean;
}

const rowSchema = z.object({
  version: z.string(),
  number: z.int(),
  size: bigint,
  replica: z.boolean(),
  delay: z.string(),
  feedback: z.boolean(),
});

/** Connection and server errors pass through. */
export async function inspectDatabase(client: Client): Promise<Database> {
  const row = await queryRow(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      pg_database_size(current_database()) AS size, pg_is_in_recovery() AS replica,
      current_setting('max_standby_streaming_delay') AS delay,
      current_setting('hot_standby_feedback')::bool AS feedback`,
    rowSchema,
  );
  return {
    version: row.version,
    major: majorOf(row.number),
    versionNumber: row.number,
    size: row.size,
    ...(row.replica ? { replica: { maxDelay: row.delay, feedback: row.feedback } } : {}),
  };
}
