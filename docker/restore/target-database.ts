import type { Client } from 'pg';
import { Failure } from '../failure.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';

/** What is asked of the database before anything is restored into it. */
export interface TargetDatabase {
  /** As the server gives it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** Some of what it holds, as PostgreSQL names it; extensions and what belongs to them do not count. */
  readonly contents: readonly string[];
  /** Whether this user may make schemas in it. */
  readonly mayCreate: boolean;
}

const SHOWN = 5;

/** What users make outside the system's schemas: a new database has none of it, whatever its template. */
const CONTENTS = `
  WITH space AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  SELECT what FROM (
    SELECT 'pg_namespace'::regclass AS classid, oid AS objid, 'schema ' || quote_ident(nspname) AS what
      FROM space WHERE nspname <> 'public'
    UNION ALL
    SELECT 'pg_class'::regclass, oid, oid::regclass::text
      FROM pg_class WHERE relnamespace IN (SELECT oid FROM space) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, oid::regprocedure::text FROM pg_proc WHERE pronamespace IN (SELECT oid FROM space)
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 'type ' || oid::regtype::text
      FROM pg_type WHERE typnamespace IN (SELECT oid FROM space) AND typtype IN ('d', 'e', 'r')
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, 'large object ' || oid FROM pg_largeobject_metadata
  ) AS held
  WHERE NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = held.classid AND d.objid = held.objid AND d.deptype = 'e')
  LIMIT ${SHOWN + 1}`;

/** Errors of the connection and the server pass through. */
export async function inspectTarget(client: Client): Promise<TargetDatabase> {
  const {
    rows: [server],
  } = await client.query<{ version: string; number: number; may_create: boolean }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      has_database_privilege(current_database(), 'CREATE') AS may_create`,
  );
  if (server === undefined) {
    throw new Error('The server answered a question for one row with none.');
  }
  const { rows } = await client.query<{ what: string }>(CONTENTS);
  return {
    version: server.version,
    major: Math.trunc(server.number / 10_000),
    contents: rows.map(({ what }) => what),
    mayCreate: server.may_create,
  };
}

/** Bytes of the database on the server's disk. */
export async function sizeOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
  return Number(rows[0]?.size);
}

/**
 * A database that holds something already would end as a mixture; and a user who may make nothing in it is found out
 * before the download.
 *
 * @throws {Failure} `refused`, naming some of what is there
 */
export function checkTarget(
  { contents, mayCreate }: TargetDatabase,
  { user, database }: ConnectionSettings,
  intoNonEmpty: boolean,
): void {
  if (!mayCreate) {
    throw new Failure(
      'refused',
      `The user "${user}" may make nothing in the database "${database}": make it the owner, or grant it CREATE on the database.`,
    );
  }
  if (contents.length > 0 && !intoNonEmpty) {
    const shown = contents.slice(0, SHOWN).join(', ');
    throw new Failure(
      'refused',
      `The database "${database}" is not empty: it holds ${shown}${contents.length > SHOWN ? ' and more' : ''}. Restore ` +
        'into a new one (CREATE DATABASE … TEMPLATE template0), or give the option --into-non-empty: tables that exist ' +
        'then keep their rows, and count as failed.',
    );
  }
}
