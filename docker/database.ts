import type { Client } from 'pg';

import { Failure } from './failure.ts';
import type { Target } from './target.ts';

/** What is asked of the database before it is dumped. */
export interface Database {
  /** As the server gives it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** Bytes on the server's disk, indexes and dead rows included. */
  readonly size: number;
  /** Tables and sequences that this user can't dump, and why; quoted and with their schema. */
  readonly unreadable: readonly Unreadable[];
}

interface Unreadable {
  readonly name: string;
  readonly why: 'privilege' | 'row security';
}

/** Row-level security exists from this version on. */
const ROW_SECURITY_SINCE = 90500;

/**
 * Tables and sequences whose rows pg_dump reads: all outside the system's schemas but the members of extensions. Row
 * security that applies to this user would hide rows; pg_dump refuses to dump such a table.
 */
function unreadableQuery(serverVersion: number): string {
  const rowSecurity = serverVersion >= ROW_SECURITY_SINCE ? 'row_security_active(c.oid)' : 'false';
  return `
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
      CASE WHEN readable THEN 'row security' ELSE 'privilege' END AS why
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
      SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
    ) privileges
    WHERE c.relkind IN ('r', 'p', 'S')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      AND (NOT readable OR c.relkind <> 'S' AND ${rowSecurity})
    ORDER BY 1`;
}

/** Asks for all of it in one go. Errors of the connection and the server pass through. */
export async function inspect(client: Client): Promise<Database> {
  const {
    rows: [server],
  } = await client.query<{ version: string; number: number; size: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      pg_database_size(current_database()) AS size`,
  );
  if (server === undefined) {
    throw new Error('The server answered a question for one row with none.');
  }
  const { rows: unreadable } = await client.query<Unreadable>(unreadableQuery(server.number));
  return { version: server.version, major: Math.trunc(server.number / 10_000), size: Number(server.size), unreadable };
}

function listed(names: readonly string[]): string {
  const shown = 5;
  const rest = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.slice(0, shown).join(', ')}${rest}`;
}

/**
 * A dump without some of the rows is not a dump.
 * @throws {Failure} `refused`, naming the tables that this user can't dump and what to do.
 */
export function checkReadable({ unreadable }: Database, { user }: Target): void {
  const namesWhy = (why: Unreadable['why']) => unreadable.filter((table) => table.why === why).map(({ name }) => name);
  const denied = namesWhy('privilege');
  const filtered = namesWhy('row security');
  const problems = [
    ...(denied.length === 0
      ? []
      : [
          `may not read ${listed(denied)}: grant it USAGE on the schemas and SELECT on tables and sequences, or the role pg_read_all_data (from PostgreSQL 14)`,
        ]),
    ...(filtered.length === 0
      ? []
      : [
          `is subject to row-level security on ${listed(filtered)}, which would hide rows: dump as a role with BYPASSRLS, or as the owner`,
        ]),
  ];
  if (problems.length > 0) {
    throw new Failure('refused', `The user "${user}" ${problems.join('; and ')}.`);
  }
}
