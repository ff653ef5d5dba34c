import type { Client } from 'pg';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import { bigint, majorOf, queryRow, queryRows } from '../postgres/query.ts';

/** State of the target database before a restore. */
export interface TargetDatabase {
  /** As the server reports it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** Some of the objects in it, by PostgreSQL's names; extensions and their members do not count. */
  readonly contents: readonly string[];
  /** Whether this user may create schemas in it. */
  readonly mayCreate: boolean;
}

const SHOWN = 5;

/** Objects that users create outside the system's schemas: a new database has none, whatever its template. */
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

/** Connection and server errors pass through. */
export async function inspectTarget(client: Client): Promise<TargetDatabase> {
  const server = await queryRow(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      has_database_privilege(current_database(), 'CREATE') AS may_create`,
    z.object({ version: z.string(), number: z.int(), may_create: z.boolean() }),
  );
  const rows = await queryRows(client, CONTENTS, z.object({ what: z.string() }));
  return {
    version: server.version,
    major: majorOf(server.number),
    contents: rows.map(({ what }) => what),
    mayCreate: server.may_create,
  };
}

/** Size of the database on the server's disk, in bytes. */
export async function sizeOf(client: Client): Promise<number> {
  const query = 'SELECT pg_database_size(current_database()) AS size';
  const { size } = await queryRow(client, query, z.object({ size: bigint }));
  return size;
}

/**
 * Refuses a database that is not empty, because the result would be a mixture, and one in which the user may not create
 * anything.
 *
 * @throws {Failure} `refused`, naming some of the objects that exist
 */
export function checkTarget(
  { contents, mayCreate }: TargetDatabase,
  { user, database }: ConnectionSettings,
  intoNonEmpty: boolean,
): void {
  if (!mayCreate) {
    throw new Failure(
      'refused',
      `The user "${user}" may not create anything in the database "${database}": make it the owner, or grant it CREATE on the database.`,
    );
  }
  if (contents.length > 0 && !intoNonEmpty) {
    const shown = contents.slice(0, SHOWN).join(', ');
    throw new Failure(
      'refused',
      `The database "${database}" is not empty: it contains ${shown}${contents.length > SHOWN ? ' and more' : ''}. Restore ` +
        'into a new one (CREATE DATABASE … TEMPLATE template0), or use --into-non-empty: existing tables then keep ' +
        'their rows, and count as failed.',
    );
  }
}
