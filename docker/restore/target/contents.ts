import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from '../../postgres/connection/query.ts';
import { IS_USER_SCHEMA } from '../../postgres/user-schemas.ts';

/** Most objects that are named. */
const LISTED = 5;

/** First OID of what is created after a server was initialized. Source: PostgreSQL's src/include/access/transam.h */
const FIRST_OF_USERS = 16384;

/** Owner of what has none of its own. Only superusers create it. */
const NONE = 'NULL::oid';

/** Further catalogs of objects in schemas, with their columns for the schema and the owner. */
const IN_SCHEMAS = [
  ['pg_operator', 'oprnamespace', 'oprowner'],
  ['pg_opclass', 'opcnamespace', 'opcowner'],
  ['pg_opfamily', 'opfnamespace', 'opfowner'],
  ['pg_collation', 'collnamespace', 'collowner'],
  ['pg_conversion', 'connamespace', 'conowner'],
  ['pg_ts_config', 'cfgnamespace', 'cfgowner'],
  ['pg_ts_dict', 'dictnamespace', 'dictowner'],
  ['pg_ts_parser', 'prsnamespace', NONE],
  ['pg_ts_template', 'tmplnamespace', NONE],
] as const;

/**
 * Catalogs of objects outside of schemas. The owner of a cast is that of its function, which is what others may call.
 */
const OUTSIDE = [
  ['pg_event_trigger', 'evtowner'],
  ['pg_publication', 'pubowner'],
  ['pg_foreign_data_wrapper', 'fdwowner'],
  ['pg_foreign_server', 'srvowner'],
  ['pg_language', 'lanowner'],
  ['pg_am', NONE],
  ['pg_cast', '(SELECT proowner FROM pg_proc WHERE pg_proc.oid = castfunc)'],
  ['pg_transform', '(SELECT proowner FROM pg_proc WHERE pg_proc.oid = trffromsql)'],
] as const;

function described(catalog: string, owner: string, condition: string): string {
  return `
    UNION ALL
    SELECT '${catalog}'::regclass, oid, ${owner}, pg_describe_object('${catalog}'::regclass, oid, 0)
      FROM ${catalog} WHERE ${condition}`;
}

/**
 * Objects that users create: a new database has none, whatever its template. Members of an extension do not count if
 * they belong to a superuser, as those of trusted extensions do (on RDS, to rdsadmin), or to this user. Others do,
 * since whoever owns an extension can make any object of theirs a member of it, and a restore may call it.
 * https://www.postgresql.org/docs/current/sql-alterextension.html
 */
const CONTENTS = `
  WITH space AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE ${IS_USER_SCHEMA})
  SELECT what FROM (
    SELECT 'pg_namespace'::regclass AS classid, oid AS objid, nspowner AS owner, 'schema ' || quote_ident(nspname) AS what
      FROM space WHERE nspname <> 'public'
    UNION ALL
    SELECT 'pg_class'::regclass, oid, relowner, oid::regclass::text
      FROM pg_class WHERE relnamespace IN (SELECT oid FROM space) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, proowner, oid::regprocedure::text
      FROM pg_proc WHERE pronamespace IN (SELECT oid FROM space)
    UNION ALL
    SELECT 'pg_type'::regclass, oid, typowner, 'type ' || oid::regtype::text
      FROM pg_type WHERE typnamespace IN (SELECT oid FROM space) AND (typtype IN ('d', 'e', 'r')
        OR (typtype = 'c' AND (SELECT relkind FROM pg_class c WHERE c.oid = typrelid) = 'c'))
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, lomowner, 'large object ' || oid FROM pg_largeobject_metadata
    UNION ALL
    SELECT 'pg_subscription'::regclass, NULL, subowner, 'subscription ' || quote_ident(subname)
      FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()
    ${IN_SCHEMAS.map(([catalog, schema, owner]) => described(catalog, owner, `${schema} IN (SELECT oid FROM space)`)).join('')}
    ${OUTSIDE.map(([catalog, owner]) => described(catalog, owner, `oid >= ${FIRST_OF_USERS}`)).join('')}
  ) AS held
  WHERE NOT EXISTS (
    SELECT FROM pg_depend d LEFT JOIN pg_roles r ON r.oid = held.owner
    WHERE d.classid = held.classid AND d.objid = held.objid AND d.deptype = 'e'
      AND (held.owner IS NULL OR r.rolsuper OR r.rolname = current_user))
  LIMIT ${LISTED}`;

/** Some of the objects in the database, by PostgreSQL's names. Connection and server errors pass through. */
export async function contentsOf(client: Client): Promise<readonly string[]> {
  const rows = await queryRows(client, CONTENTS, z.object({ what: z.string() }));
  return rows.map(({ what }) => what);
}
