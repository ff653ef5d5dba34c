import type { Client } from 'pg';
import { z } from 'zod';
import { type Answer, ifAnswered } from '../../postgres/connection/if-answered.ts';
import { majorOf, queryRow, queryRows } from '../../postgres/connection/query.ts';
import { type Database, inspectEncoding } from '../../postgres/database.ts';
import { IS_USER_SCHEMA } from '../../postgres/user-schemas.ts';
import { type ConnectionLimit, connectionLimits } from './connection-limits.ts';

/** State of the target database before a restore. */
export interface TargetDatabase extends Pick<Database, 'encoding' | 'locale'> {
  /** As the server reports it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** Whose privileges count. A setting of the user who logs in (`ALTER ROLE … SET role`) makes it another one. */
  readonly user: string;
  /** Some of the objects in it, by PostgreSQL's names; extensions and most of their members do not count. */
  readonly contents: readonly string[];
  /** Whether this user may create what is reserved to superusers. On RDS, whose superuser is AWS, others may. */
  readonly isAdministrator: boolean;
  /** Whether this user has CREATE on it, and so may create schemas. */
  readonly mayCreate: boolean;
  /** Whether its server is a standby. */
  readonly isStandby: boolean;
  /** Where `default_transaction_read_only` is set to on, as in `pg_settings.source`; absent if it is off. */
  readonly readOnlyBy?: string;
  readonly limits: Answer<readonly ConnectionLimit[]>;
  /** Settings that end statements or sessions after a time, and are not 0. */
  readonly timeouts: readonly string[];
}

/** Limit of {@link TargetDatabase.contents}. */
const LISTED = 6;

/**
 * Objects that users create outside the system's schemas: a new database has none, whatever its template. Members of an
 * extension do not count if they belong to a superuser, as those of trusted extensions do (on RDS, to rdsadmin), or to this
 * user. Others do, since whoever owns an extension can make any object of theirs a member of it, and a restore may call it.
 * https://www.postgresql.org/docs/current/sql-alterextension.html
 */
const CONTENTS = `
  WITH space AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE ${IS_USER_SCHEMA})
  SELECT what FROM (
    SELECT 'pg_namespace'::regclass AS classid, oid AS objid, nspowner AS owner, 'schema ' || quote_ident(nspname) AS what
      FROM space WHERE nspname <> 'public'
    UNION ALL
    SELECT 'pg_class'::regclass, oid, relowner, oid::regclass::text
      FROM pg_class WHERE relnamespace IN (SELECT oid FROM space) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, proowner, oid::regprocedure::text
      FROM pg_proc WHERE pronamespace IN (SELECT oid FROM space)
    UNION ALL
    SELECT 'pg_type'::regclass, oid, typowner, 'type ' || oid::regtype::text
      FROM pg_type WHERE typnamespace IN (SELECT oid FROM space) AND typtype IN ('d', 'e', 'r')
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, lomowner, 'large object ' || oid FROM pg_largeobject_metadata
  ) AS held
  WHERE NOT EXISTS (
    SELECT FROM pg_depend d JOIN pg_roles r ON r.oid = held.owner
    WHERE d.classid = held.classid AND d.objid = held.objid AND d.deptype = 'e'
      AND (r.rolsuper OR r.rolname = current_user))
  LIMIT ${LISTED}`;

/** Those of a new session: for these questions, some are set to 0. */
const TIMEOUTS = `
  SELECT name FROM pg_settings
  WHERE reset_val <> '0' AND name IN ('statement_timeout', 'lock_timeout', 'idle_session_timeout',
    'idle_in_transaction_session_timeout', 'transaction_timeout')
  ORDER BY 1`;

const serverSchema = z.object({
  version: z.string(),
  number: z.int(),
  user: z.string(),
  administrator: z.boolean(),
  may_create: z.boolean(),
  standby: z.boolean(),
  read_only: z.string(),
  source: z.string(),
});

/** Connection and server errors pass through. */
export async function inspectTarget(client: Client): Promise<TargetDatabase> {
  const server = await queryRow(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      current_user AS "user",
      EXISTS (SELECT FROM pg_roles WHERE (rolname = current_user AND rolsuper)
        OR (rolname = 'rds_superuser' AND pg_has_role(oid, 'USAGE'))) AS administrator,
      has_database_privilege(current_database(), 'CREATE') AS may_create, pg_is_in_recovery() AS standby,
      reset_val AS read_only, source
     FROM pg_settings WHERE name = 'default_transaction_read_only'`,
    serverSchema,
  );
  const rows = await queryRows(client, CONTENTS, z.object({ what: z.string() }));
  const timeouts = await queryRows(client, TIMEOUTS, z.object({ name: z.string() }));
  return {
    version: server.version,
    major: majorOf(server.number),
    user: server.user,
    contents: rows.map(({ what }) => what),
    isAdministrator: server.administrator,
    mayCreate: server.may_create,
    isStandby: server.standby,
    ...(await inspectEncoding(client)),
    limits: await ifAnswered(client, 'limits on connections', connectionLimits),
    timeouts: timeouts.map(({ name }) => name),
    ...(server.read_only === 'on' ? { readOnlyBy: server.source } : {}),
  };
}
