import type { Client } from 'pg';
import { z } from 'zod';
import { type Answer, ifAnswered } from '../../postgres/connection/if-answered.ts';
import { majorOf, queryRow } from '../../postgres/connection/query.ts';
import { type Database, inspectEncoding } from '../../postgres/database.ts';
import { type ConnectionLimit, connectionLimits } from './connection-limits.ts';
import { contentsOf } from './contents.ts';
import { type SessionSetting, unsuitableSettings } from './session-settings.ts';

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
  /** The `default_tablespace`, if this user may create nothing there. */
  readonly closedTablespace?: string;
  /** Whether its server is a standby. */
  readonly isStandby: boolean;
  /** Where `default_transaction_read_only` is set to on, as in `pg_settings.source`; absent if it is off. */
  readonly readOnlyBy?: string;
  readonly limits: Answer<readonly ConnectionLimit[]>;
  readonly unsuitable: readonly SessionSetting[];
}

const serverSchema = z.object({
  version: z.string(),
  number: z.int(),
  user: z.string(),
  administrator: z.boolean(),
  may_create: z.boolean(),
  closed_tablespace: z.string().nullable(),
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
      has_database_privilege(current_database(), 'CREATE') AS may_create,
      (SELECT spcname FROM pg_tablespace t, pg_database d
        WHERE spcname = current_setting('default_tablespace') AND datname = current_database()
          AND t.oid <> dattablespace AND NOT has_tablespace_privilege(t.oid, 'CREATE')) AS closed_tablespace,
      pg_is_in_recovery() AS standby,
      reset_val AS read_only, source
     FROM pg_settings WHERE name = 'default_transaction_read_only'`,
    serverSchema,
  );
  return {
    version: server.version,
    major: majorOf(server.number),
    user: server.user,
    contents: await contentsOf(client),
    isAdministrator: server.administrator,
    mayCreate: server.may_create,
    ...(server.closed_tablespace === null ? {} : { closedTablespace: server.closed_tablespace }),
    isStandby: server.standby,
    ...(await inspectEncoding(client)),
    limits: await ifAnswered(client, 'limits on connections', connectionLimits),
    unsuitable: await unsuitableSettings(client),
    ...(server.read_only === 'on' ? { readOnlyBy: server.source } : {}),
  };
}
