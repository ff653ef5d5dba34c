import type { Client } from 'pg';

/** What is asked of the database's server before a dump. */
export interface Database {
  /** As the server gives it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
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
  /** How long a query may hold up the replay of its primary's changes: `30s`, or `-1` for as long as it takes. */
  readonly longestDelay: string;
  /** Whether the primary keeps rows that queries here still see. */
  readonly feedback: boolean;
}

/**
 * Asks for all of it in one go, and makes sure that functions and operators are the system's own, whatever the
 * database or the user's settings put before them. Errors of the connection and the server pass through.
 */
export async function inspect(client: Client): Promise<Database> {
  await client.query("SELECT pg_catalog.set_config('search_path', '', false)");
  const {
    rows: [server],
  } = await client.query<{
    version: string;
    number: number;
    size: string;
    replica: boolean;
    delay: string;
    feedback: boolean;
  }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      pg_database_size(current_database()) AS size, pg_is_in_recovery() AS replica,
      current_setting('max_standby_streaming_delay') AS delay,
      current_setting('hot_standby_feedback')::bool AS feedback`,
  );
  if (server === undefined) {
    throw new Error('The server answered a question for one row with none.');
  }
  return {
    version: server.version,
    major: Math.trunc(server.number / 10_000),
    versionNumber: server.number,
    size: Number(server.size),
    ...(server.replica ? { replica: { longestDelay: server.delay, feedback: server.feedback } } : {}),
  };
}
