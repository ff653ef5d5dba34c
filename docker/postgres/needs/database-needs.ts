import type { Client } from 'pg';
import { z } from 'zod';
import { queryRow, queryRows } from '../connection/query.ts';
import { securityLabelSchema } from './security-label.ts';
import { settingOf, settingSchema } from './setting.ts';

const grantSchema = z.object({
  grantee: z.string().nullable().describe('null for PUBLIC'),
  privilege: z.string(),
  grantable: z.boolean(),
});

/** What the server has of a database outside of it. The archive has the same as SQL, for `pg_restore --create`. */
export const databaseNeedsSchema = z.object({
  owner: z.string(),
  settings: z
    .array(settingSchema.extend({ role: z.string().nullable().describe('null for all roles') }))
    .describe('by ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET; the dump has all values'),
  grants: z.array(grantSchema).nullable().describe("those on the database; null for PostgreSQL's defaults"),
  comment: z.string().nullable(),
  connectionLimit: z.int().describe('-1 for none'),
  securityLabels: z.array(securityLabelSchema).default([]),
  isTemplate: z.boolean().default(false).describe('whether all who may create databases may copy it'),
});

export type DatabaseNeeds = z.infer<typeof databaseNeedsSchema>;

const THIS_DATABASE = '(SELECT oid FROM pg_database WHERE datname = current_database())';

/** Connection and server errors pass through. */
export async function databaseNeeds(client: Client): Promise<DatabaseNeeds> {
  const { has_grants: hasGrants, ...row } = await queryRow(
    client,
    `SELECT pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS comment,
      datconnlimit AS "connectionLimit", datistemplate AS "isTemplate", datacl IS NOT NULL AS has_grants
     FROM pg_database WHERE oid = ${THIS_DATABASE}`,
    z.object({
      owner: z.string(),
      comment: z.string().nullable(),
      connectionLimit: z.int(),
      isTemplate: z.boolean(),
      has_grants: z.boolean(),
    }),
  );
  const settings = await queryRows(
    client,
    `SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END AS role, setting
     FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setdatabase = ${THIS_DATABASE} ORDER BY 1 NULLS FIRST, 2`,
    z.object({ role: z.string().nullable(), setting: z.string() }),
  );
  const grants = await queryRows(
    client,
    `SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee, privilege_type AS privilege,
       bool_or(is_grantable) AS grantable
     FROM pg_database, aclexplode(datacl) WHERE oid = ${THIS_DATABASE} GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2`,
    grantSchema,
  );
  const securityLabels = await queryRows(
    client,
    `SELECT provider, label FROM pg_shseclabel
     WHERE classoid = 'pg_database'::regclass AND objoid = ${THIS_DATABASE} ORDER BY 1`,
    securityLabelSchema,
  );
  return {
    ...row,
    settings: settings.map(({ role, setting }) => ({ role, ...settingOf(setting) })),
    grants: hasGrants ? [...grants] : null,
    securityLabels: [...securityLabels],
  };
}
