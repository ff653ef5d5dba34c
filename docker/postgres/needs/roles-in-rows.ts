import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from '../connection/query.ts';
import { type Exclusions, isNoneOf } from '../filters/exclusions.ts';
import { IS_USER_SCHEMA } from '../user-schemas.ts';

const columnSchema = z.object({
  table: z.string(),
  column: z.string(),
  type: z.enum(['regrole', 'aclitem']),
  is_array: z.boolean(),
});

/** Columns whose values name roles and are in a dump. Domains and arrays of the two types count, and those of these. */
function columnsQuery({ relations, withoutRows }: Exclusions): string {
  return `
  WITH RECURSIVE naming (oid, type, is_array) AS (
    SELECT oid, typname, false FROM pg_type
      WHERE typnamespace = 'pg_catalog'::regnamespace AND typname IN ('regrole', 'aclitem')
    UNION
    SELECT t.oid, type, is_array OR typelem = naming.oid FROM naming JOIN pg_type t ON naming.oid IN (typbasetype, typelem)
  )
  SELECT format('%I.%I', nspname, relname) AS table, quote_ident(attname) AS column, type, is_array
  FROM pg_attribute a JOIN naming ON naming.oid = atttypid JOIN pg_class c ON c.oid = attrelid
    JOIN pg_namespace n ON n.oid = relnamespace
  WHERE ${IS_USER_SCHEMA} AND relkind = 'r' AND attnum > 0 AND coalesce(row_to_json(a) ->> 'attgenerated', '') = ''
    AND (relpersistence = 'p' OR NOT pg_is_in_recovery())
    AND ${isNoneOf('c.oid', [...relations, ...withoutRows])}
  ORDER BY 1, 2`;
}

function rolesOf({ table, column, type, is_array: isArray }: z.infer<typeof columnSchema>): string {
  const values = isArray ? `t.${column}` : `ARRAY[t.${column}]`;
  const rows = `FROM ONLY ${table} AS t, unnest(${values}::${type}[]) AS u (value)`;
  return type === 'regrole'
    ? `SELECT u.value::oid ${rows}`
    : `SELECT unnest(ARRAY[a.grantee, a.grantor])
       ${rows}, aclexplode(CASE WHEN u.value IS NOT NULL THEN ARRAY[u.value] END) AS a`;
}

/**
 * OIDs of the roles that rows in a dump name. A server that lacks one of them refuses all rows of the table.
 *
 * Connection and server errors pass through.
 */
export async function rolesInRows(client: Client, exclusions: Exclusions): Promise<readonly number[]> {
  const columns = await queryRows(client, columnsQuery(exclusions), columnSchema);
  if (columns.length === 0) {
    return [];
  }
  // As in pg_dump: otherwise a policy of the table would hide rows, and call functions of its owner.
  await client.query('SET LOCAL row_security TO off');
  const roles = columns.map(rolesOf).join(' UNION ALL ');
  const rows = await queryRows(
    client,
    `SELECT DISTINCT role FROM (${roles}) AS named (role) WHERE role <> 0`,
    z.object({ role: z.int() }),
  );
  return rows.map(({ role }) => role);
}
