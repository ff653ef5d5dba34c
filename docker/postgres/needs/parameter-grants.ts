import type { Client } from 'pg';
import { z } from 'zod';
import { queryRow, queryRows } from '../connection/query.ts';

/** A privilege on a parameter of the server. */
export const parameterGrantSchema = z.object({
  parameter: z.string(),
  privilege: z.string().describe('SET or ALTER SYSTEM'),
  grantable: z.boolean(),
});

type ParameterGrant = z.infer<typeof parameterGrantSchema>;

const GRANTS = `
  SELECT pg_get_userbyid(grantee) AS role, json_agg(json_build_object(
      'parameter', parname, 'privilege', privilege_type, 'grantable', is_grantable
    ) ORDER BY parname, privilege_type) AS grants
  FROM (
    SELECT grantee, parname, privilege_type, bool_or(is_grantable) AS is_grantable
    FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 0 GROUP BY 1, 2, 3
  ) AS granted
  GROUP BY grantee`;

/** First version with grants on parameters. */
const SINCE = 150000;

/**
 * The privileges of each role on parameters, by its name; those of PUBLIC are no concern of one database. Connection
 * and server errors pass through.
 */
export async function parameterGrants(client: Client): Promise<ReadonlyMap<string, ParameterGrant[]>> {
  const query = "SELECT current_setting('server_version_num')::int AS number";
  const { number } = await queryRow(client, query, z.object({ number: z.int() }));
  const row = z.object({ role: z.string(), grants: z.array(parameterGrantSchema) });
  const rows = number < SINCE ? [] : await queryRows(client, GRANTS, row);
  return new Map(rows.map(({ role, grants }) => [role, grants]));
}
