import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from '../connection/query.ts';
import { IS_USER_SCHEMA } from '../user-schemas.ts';
import { parameterGrantSchema } from './parameter-grants.ts';
import { securityLabelSchema } from './security-label.ts';
import { settingOf, settingSchema } from './setting.ts';

const membershipSchema = z.object({
  role: z.string(),
  admin: z.boolean(),
  inherit: z.boolean().nullable().describe('null before PostgreSQL 16, where it is an attribute of the member'),
  set: z.boolean().nullable().describe('null before PostgreSQL 16'),
});

/** A role with its attributes and settings, without its password. */
export const roleSchema = z.object({
  name: z.string(),
  uses: z
    .array(z.string())
    .describe(
      'ownership, grants, default privileges, policies, user mappings, settings, rows; empty if only for memberships',
    ),
  login: z.boolean(),
  inherit: z.boolean(),
  superuser: z.boolean(),
  createDatabase: z.boolean(),
  createRole: z.boolean(),
  replication: z.boolean(),
  bypassRowSecurity: z.boolean(),
  connectionLimit: z.int().describe('-1 for none'),
  validUntil: z.string().nullable().describe('of its password; RFC 3339, or infinity'),
  memberOf: z.array(membershipSchema),
  settings: z.array(settingSchema).default([]).describe('by ALTER ROLE … SET, in all databases'),
  comment: z.string().nullable().default(null),
  securityLabels: z.array(securityLabelSchema).default([]),
  parameters: z.array(parameterGrantSchema).default([]).describe('by GRANT … ON PARAMETER'),
});

export type Role = z.infer<typeof roleSchema>;

export type Membership = z.infer<typeof membershipSchema>;

/**
 * The roles that objects of this database depend on, as `role` and `use`. The server keeps these dependencies for all
 * roles but the one that it was initialized with, whose OID is 10. That one is looked for where a dump may name it. It
 * keeps none of settings of `role`, in which functions and the database name one, and none of rows: `$1` are the roles
 * that these name. https://www.postgresql.org/docs/current/catalog-pg-shdepend.html
 */
const USED = `
  SELECT refobjid, CASE
      WHEN deptype = 'a' THEN 'grants'
      WHEN deptype = 'r' THEN 'policies'
      WHEN classid = 'pg_default_acl'::regclass THEN 'default privileges'
      WHEN classid = 'pg_user_mapping'::regclass THEN 'user mappings'
      ELSE 'ownership'
    END
  FROM pg_shdepend, this
  WHERE refclassid = 'pg_authid'::regclass AND deptype IN ('o', 'a', 'r')
    AND (dbid = this.oid OR (dbid = 0 AND classid = 'pg_database'::regclass AND objid = this.oid))
  UNION
  SELECT setrole, 'settings' FROM pg_db_role_setting, this WHERE setdatabase = this.oid AND setrole <> 0
  UNION
  SELECT r.oid, 'settings' FROM (
    SELECT unnest(setconfig) FROM pg_db_role_setting, this WHERE setdatabase = this.oid
    UNION ALL SELECT unnest(proconfig) FROM pg_proc
  ) AS s (setting) JOIN pg_roles r ON 'role=' || rolname = setting
  UNION
  SELECT unnest($1::oid[]), 'rows'
  UNION
  SELECT 10, use FROM (
    SELECT 'ownership' AS use FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
      WHERE ${IS_USER_SCHEMA} AND relowner = 10
    UNION ALL
    SELECT 'ownership' FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE ${IS_USER_SCHEMA} AND proowner = 10
    UNION ALL
    SELECT 'ownership' FROM pg_publication WHERE pubowner = 10
    UNION ALL
    SELECT 'default privileges' FROM pg_default_acl WHERE defaclrole = 10
    UNION ALL
    SELECT 'policies' FROM pg_policy WHERE 10 = ANY (polroles)
    UNION ALL
    SELECT 'user mappings' FROM pg_user_mappings WHERE umuser = 10
    UNION ALL
    SELECT 'grants'
    FROM (
      SELECT datacl, datdba FROM pg_database, this WHERE pg_database.oid = this.oid
      UNION ALL SELECT nspacl, nspowner FROM pg_namespace
      UNION ALL SELECT relacl, relowner FROM pg_class
      UNION ALL SELECT attacl, relowner FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attacl IS NOT NULL
      UNION ALL SELECT proacl, proowner FROM pg_proc
      UNION ALL SELECT typacl, typowner FROM pg_type
      UNION ALL SELECT lanacl, lanowner FROM pg_language
      UNION ALL SELECT lomacl, lomowner FROM pg_largeobject_metadata
      UNION ALL SELECT fdwacl, fdwowner FROM pg_foreign_data_wrapper
      UNION ALL SELECT srvacl, srvowner FROM pg_foreign_server
      UNION ALL SELECT defaclacl, defaclrole FROM pg_default_acl
    ) AS granted (acl, owner), aclexplode(acl)
    WHERE grantee = 10 AND owner <> 10
  ) AS first_role`;

/** A row `r` of pg_roles. */
const ROLE = `
    rolname AS name, rolcanlogin AS login, rolinherit AS inherit, rolsuper AS superuser,
    rolcreatedb AS "createDatabase", rolcreaterole AS "createRole", rolreplication AS replication,
    rolbypassrls AS "bypassRowSecurity", rolconnlimit AS "connectionLimit",
    to_json(rolvaliduntil) #>> '{}' AS "validUntil",
    (SELECT coalesce(json_agg(g ORDER BY g.role), '[]') FROM (
      SELECT pg_get_userbyid(roleid) AS role, bool_or(admin_option) AS admin,
        bool_or((row_to_json(m) ->> 'inherit_option')::bool) AS inherit,
        bool_or((row_to_json(m) ->> 'set_option')::bool) AS set
      FROM pg_auth_members m WHERE member = r.oid GROUP BY roleid
    ) AS g) AS "memberOf",
    ARRAY(SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting
      WHERE setrole = r.oid AND setdatabase = 0 ORDER BY 1) AS settings,
    shobj_description(r.oid, 'pg_authid') AS comment,
    (SELECT coalesce(json_agg(l ORDER BY l.provider), '[]') FROM (
      SELECT provider, label FROM pg_shseclabel WHERE classoid = 'pg_authid'::regclass AND objoid = r.oid
    ) AS l) AS "securityLabels"`;

/**
 * With the roles that the database refers to come their members, who have access by them, and all roles that any of
 * these are members of. Members of a predefined role have that on every server alike, and do not count.
 */
const ROLES_NEEDED = `
  WITH RECURSIVE this AS (SELECT oid FROM pg_database WHERE datname = current_database()),
  used (role, use) AS (${USED}),
  below (role) AS (
    SELECT role FROM used
    UNION
    SELECT member FROM below JOIN pg_auth_members m ON m.roleid = below.role JOIN pg_roles r ON r.oid = m.roleid
      WHERE r.rolname !~ '^pg_'
  ),
  needed (role) AS (
    SELECT role FROM below
    UNION
    SELECT roleid FROM needed JOIN pg_auth_members m ON m.member = needed.role
  )
  SELECT ${ROLE}, ARRAY(SELECT use FROM used WHERE role = r.oid ORDER BY 1) AS uses
  FROM pg_roles r JOIN needed ON needed.role = r.oid
  WHERE rolname !~ '^pg_'
  ORDER BY 1`;

const rowSchema = roleSchema.omit({ parameters: true }).extend({ settings: z.array(z.string().transform(settingOf)) });

/**
 * The roles that a dump of this database refers to, without predefined ones. Connection and server errors pass through.
 *
 * @param inRows OIDs of those that rows of tables name
 */
export async function roleNeeds(client: Client, inRows: readonly number[]): Promise<Omit<Role, 'parameters'>[]> {
  return [...(await queryRows(client, { text: ROLES_NEEDED, values: [inRows] }, rowSchema))];
}

const ALL_ROLES = `SELECT ${ROLE}, ARRAY[]::text[] AS uses FROM pg_roles r WHERE rolname !~ '^pg_' ORDER BY 1`;

/** All roles of the server without predefined ones, without what they are used for. Errors pass through. */
export async function allRoles(client: Client): Promise<readonly Omit<Role, 'parameters'>[]> {
  return queryRows(client, ALL_ROLES, rowSchema);
}
