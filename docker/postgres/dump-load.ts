import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow } from './connection/query.ts';
import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** What decides how many connections a dump has use for, and how many it may have. */
export interface DumpLoad {
  /** Tables of which rows are dumped. */
  readonly tables: number;
  /** Up to {@link MANY_LARGE_OBJECTS}. */
  readonly largeObjects: number;
  /** Connections that the limits of server, database and role leave. */
  readonly freeConnections: number;
}

/** So many that their number does not matter any more. */
export const MANY_LARGE_OBJECTS = 10_000;

/** The role's own sessions can be seen by it; of others, only their number can. */
const FREE_CONNECTIONS = `
  SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) - (SELECT sum(numbackends) FROM pg_stat_database),
    (SELECT datconnlimit - numbackends FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid
      WHERE d.datname = current_database() AND datconnlimit >= 0),
    (SELECT rolconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE usename = rolname)
      FROM pg_roles WHERE rolname = session_user AND rolconnlimit >= 0))`;

/** Connection and server errors pass through. */
export async function inspectLoad(client: Client, { relations, withoutRows }: Exclusions): Promise<DumpLoad> {
  return queryRow(
    client,
    `SELECT count(*) AS tables,
      (SELECT count(*) FROM (SELECT FROM pg_largeobject_metadata LIMIT ${MANY_LARGE_OBJECTS}) o) AS "largeObjects",
      (${FREE_CONNECTIONS}) AS "freeConnections"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND ${IS_USER_SCHEMA} AND ${isNoneOf('c.oid', [...relations, ...withoutRows])}`,
    z.object({ tables: bigint, largeObjects: bigint, freeConnections: bigint }),
  );
}
