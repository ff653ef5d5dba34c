import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from '../connection/query.ts';

export const userMappingSchema = z.object({
  server: z.string(),
  role: z.string().nullable().describe('null for PUBLIC'),
  hasOptions: z
    .boolean()
    .nullable()
    .describe('whether the dump has options of it; null if the user that dumps may not see whether there are any'),
});

type UserMapping = z.infer<typeof userMappingSchema>;

/**
 * User mappings of foreign servers. The view hides options from all but superusers, owners of the server, and the user
 * itself, and pg_dump then dumps the mapping without them.
 * https://www.postgresql.org/docs/current/view-pg-user-mappings.html
 *
 * Connection and server errors pass through.
 */
export async function userMappings(client: Client): Promise<UserMapping[]> {
  const rows = await queryRows(
    client,
    `SELECT m.srvname AS server, CASE WHEN umuser <> 0 THEN usename END AS role,
       CASE WHEN umoptions IS NOT NULL THEN true
         WHEN (umuser <> 0 AND usename = current_user
             AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(m.srvid, 'USAGE')))
           OR (umuser = 0 AND pg_has_role(s.srvowner, 'USAGE'))
           OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN false
       END AS "hasOptions"
     FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid ORDER BY 1, 2 NULLS FIRST`,
    userMappingSchema,
  );
  return [...rows];
}
