import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow } from './connection/query.ts';
import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** What decides how many connections a dump is fastest with, and how many it may have. */
export interface DumpLoad {
  /** Bytes on disk of all tables with out-of-line values, by the server's statistics. */
  readonly tableBytes: number;
  /** Of the largest of them. */
  readonly largestBytes: number;
  /** Up to {@link MANY_LARGE_OBJECTS}. */
  readonly largeObjects: number;
  /** Connections that the limits of server, database and role leave. */
  readonly freeConnections: number;
}

/** So many that their number does not matter any more. */
export const MANY_LARGE_OBJECTS = 10_000;

const BLOCK = "current_setting('block_size')::bigint";

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
export async function inspectLoad(client: Client, { relations }: Exclusions): Promise<DumpLoad> {
  return queryRow(
    client,
    `SELECT coalesce(sum(pages), 0) * ${BLOCK} AS "tableBytes", coalesce(max(pages), 0) * ${BLOCK} AS "largestBytes",
      (SELECT count(*) FROM (SELECT FROM pg_largeobject_metadata LIMIT ${MANY_LARGE_OBJECTS}) o) AS "largeObjects",
      (${FREE_CONNECTIONS}) AS "freeConnections"
     FROM (
       SELECT c.relpages::bigint + coalesce(t.relpages, 0) AS pages
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
       WHERE c.relkind = 'r' AND ${IS_USER_SCHEMA} AND ${isNoneOf('c.oid', relations)}
     ) sizes`,
    z.object({ tableBytes: bigint, largestBytes: bigint, largeObjects: bigint, freeConnections: bigint }),
  );
}
