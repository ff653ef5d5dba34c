import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from './connection/query.ts';
import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** Names of objects, with their schemas, by kind and OID. */
export type NamedObjects = ReadonlyMap<string, string>;

/** Catalogs with their columns for name and schema, and which of their rows count. */
const CATALOGS = [
  ['view', 'pg_class', 'relname', 'relnamespace', "relkind IN ('v', 'm', 'f')"],
  ['sequence', 'pg_class', 'relname', 'relnamespace', "relkind = 'S'"],
  ['function', 'pg_proc', 'proname', 'pronamespace', 'true'],
  // Neither needs a lock on its table to be renamed. pg_dump takes their names from its snapshot, and their definitions
  // from the server.
  ['index', 'pg_class', 'relname', 'relnamespace', "relkind IN ('i', 'I')"],
  ['statistics object', 'pg_statistic_ext', 'stxname', 'stxnamespace', 'true'],
  // The types of tables have their names, and arrays those of their elements. A domain over an array is no array.
  [
    'type',
    'pg_type',
    'typname',
    'typnamespace',
    `NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid) AND (typtype <> 'c' OR (SELECT relkind FROM pg_class c WHERE c.oid = typrelid) = 'c')`,
  ],
  ['operator', 'pg_operator', 'oprname', 'oprnamespace', 'true'],
  ['collation', 'pg_collation', 'collname', 'collnamespace', 'true'],
  ['text search configuration', 'pg_ts_config', 'cfgname', 'cfgnamespace', 'true'],
  ['text search dictionary', 'pg_ts_dict', 'dictname', 'dictnamespace', 'true'],
] as const;

const objects = (leftOut: readonly number[]) => `
  WITH space AS (SELECT oid, nspname FROM pg_namespace WHERE ${IS_USER_SCHEMA} AND ${isNoneOf('oid', leftOut)})
  SELECT 'schema' AS kind, oid, quote_ident(nspname) AS name FROM space
  ${CATALOGS.map(
    ([kind, catalog, name, schema, condition]) => `
  UNION ALL
  SELECT '${kind}', o.oid, quote_ident(nspname) || '.' || quote_ident(${name})
    FROM ${catalog} o JOIN space ON space.oid = ${schema} WHERE ${condition}`,
  ).join('')}
  UNION ALL
  SELECT 'enum value', e.oid, quote_literal(enumlabel)
    FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid JOIN space ON space.oid = typnamespace`;

/**
 * Objects that can be dropped or renamed while tables are locked, and that definitions and data in a dump name, but not
 * those of schemas that are left out. Connection and server errors pass through.
 */
export async function namedObjects(client: Client, { schemas }: Exclusions): Promise<NamedObjects> {
  const row = z.object({ kind: z.string(), oid: z.int(), name: z.string() });
  const rows = await queryRows(client, objects(schemas), row);
  return new Map(rows.map(({ kind, oid, name }) => [`${kind} ${oid}`, `${kind} ${name}`]));
}

/** What was dropped, or has another name or schema since. */
export function changedObjects(before: NamedObjects, after: NamedObjects): readonly string[] {
  return [...before].filter(([key, name]) => after.get(key) !== name).map(([, name]) => name);
}
