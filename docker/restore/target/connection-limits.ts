import type { Client } from 'pg';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { queryRow } from '../../postgres/connection/query.ts';

/** A limit on connections that applies to this user in this database. */
export interface ConnectionLimit {
  /** Whose limit it is, for the reader. */
  readonly of: string;
  readonly limit: number;
  /** Connections of others that count towards it. */
  readonly used: number;
}

/** How a restore uses the connections that the target allows. */
export interface Connections {
  /** For pg_restore's `--jobs`. */
  readonly jobs: number;
  /** Whether there is one for the progress. */
  readonly progress: boolean;
  /** The tightest limit. */
  readonly because?: ConnectionLimit;
}

/** With one, pg_restore could not connect again before the server has noticed the end of its last connection. */
const LEAST = 2;

/** In addition to pg_restore's jobs: a connection that is just ending, and the one that asks for the progress. */
const BESIDE_JOBS = 2;

/** Every user sees the connections of others. The one that asks ends before the restore begins. */
const LIMITS = `
  SELECT r.rolsuper AS super, r.rolname AS role, r.rolconnlimit AS role_limit, d.datname AS database,
    d.datconnlimit AS database_limit, current_setting('max_connections')::int AS server_limit,
    current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true)::int, 0)
      + coalesce(current_setting('rds.rds_superuser_reserved_connections', true)::int, 0) AS reserved,
    count(*) FILTER (WHERE a.usesysid = r.oid)::int - 1 AS of_role,
    count(*) FILTER (WHERE a.datid = d.oid)::int - 1 AS in_database, count(*)::int - 1 AS in_server
  FROM pg_roles r, pg_database d, pg_stat_activity a
  WHERE r.rolname = session_user AND d.datname = current_database() AND a.datid IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, r.oid, d.oid`;

const limitsSchema = z.object({
  super: z.boolean(),
  role: z.string(),
  role_limit: z.int(),
  database: z.string(),
  database_limit: z.int(),
  server_limit: z.int(),
  reserved: z.int(),
  of_role: z.int(),
  in_database: z.int(),
  in_server: z.int(),
});

/** Connection and server errors pass through. */
export async function connectionLimits(client: Client): Promise<readonly ConnectionLimit[]> {
  const row = await queryRow(client, LIMITS, limitsSchema);
  // They do not apply to a superuser.
  const own = [
    { of: `the user "${row.role}"`, limit: row.role_limit, used: row.of_role },
    { of: `the database "${row.database}"`, limit: row.database_limit, used: row.in_database },
  ];
  const server = { of: 'the server', limit: row.server_limit - (row.super ? 0 : row.reserved), used: row.in_server };
  return [...(row.super ? [] : own.filter(({ limit }) => limit >= 0)), server];
}

/**
 * Divides the connections that are free.
 *
 * @throws {Failure} if there are too few: `refused` by the limit itself, `tryAgain` because others use them
 */
export function divideConnections(jobs: number, limits: readonly ConnectionLimit[]): Connections {
  const [tightest] = [...limits].sort((a, b) => a.limit - a.used - (b.limit - b.used));
  if (tightest === undefined) {
    return { jobs, progress: true };
  }
  const { of, limit, used } = tightest;
  const free = limit - used;
  if (free < LEAST) {
    throw new Failure(
      limit < LEAST ? 'refused' : 'tryAgain',
      `A restore needs at least ${LEAST} connections, and ${of} may have ${limit}, of which ${used} are in use: raise the ` +
        'limit, or end other sessions.',
    );
  }
  const possible = Math.max(free - BESIDE_JOBS, 1);
  return { jobs: Math.min(jobs, possible), progress: free > LEAST, because: tightest };
}
