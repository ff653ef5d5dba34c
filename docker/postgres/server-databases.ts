import type { Client } from 'pg';
import { z } from 'zod';
import { ifAnswered } from './connection/if-answered.ts';
import { bigint, queryRows } from './connection/query.ts';

/** A database of a server. */
export interface ServerDatabase {
  readonly name: string;
  /** Whether the user may connect to it. */
  readonly mayConnect: boolean;
  /** Whether the server takes connections to it, and neither made it a template nor keeps it for itself. */
  readonly isOrdinary: boolean;
  /** Bytes on the server's disk; null if the server does not say. */
  readonly size: number | null;
}

/**
 * `rdsadmin` is that of RDS. A database whose DROP was interrupted takes no connections either: its limit is -2.
 * https://www.postgresql.org/docs/current/sql-dropdatabase.html
 */
const DATABASES = `
  SELECT datname AS name, has_database_privilege(oid, 'CONNECT') AS "mayConnect",
    datallowconn AND NOT datistemplate AND datconnlimit <> -2 AND datname <> 'rdsadmin' AS "isOrdinary"
  FROM pg_database ORDER BY datname`;

/** Asked of databases that the user may connect to only, as others have no size for it. */
const SIZES = `
  SELECT datname AS name, pg_database_size(oid) AS size
  FROM pg_database WHERE has_database_privilege(oid, 'CONNECT') AND datallowconn`;

const databaseSchema = z.object({ name: z.string(), mayConnect: z.boolean(), isOrdinary: z.boolean() });

/** All databases of the server, the largest first. Connection and server errors pass through. */
export async function serverDatabases(client: Client): Promise<readonly ServerDatabase[]> {
  const databases = await queryRows(client, DATABASES, databaseSchema);
  const sizes = await ifAnswered(client, 'sizes', (asked) =>
    queryRows(asked, SIZES, z.object({ name: z.string(), size: bigint.nullable() })),
  );
  const sizeOf = new Map('value' in sizes ? sizes.value.map(({ name, size }) => [name, size]) : []);
  return databases
    .map((database) => ({ ...database, size: sizeOf.get(database.name) ?? null }))
    .toSorted((one, other) => (other.size ?? -1) - (one.size ?? -1));
}
