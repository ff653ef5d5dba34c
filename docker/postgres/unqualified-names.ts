import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from './connection/query.ts';
import { quotedOnOneLine } from './quoting.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** A function that a restore calls, and a name in its body that a restore does not find. */
export interface UnqualifiedName {
  /** With its schema and parameter types, on one line. */
  readonly calls: string;
  /** On one line. */
  readonly name: string;
}

/**
 * Functions that pg_restore has the server call while it restores, with an empty search path: in generated columns, CHECK
 * constraints, indexes and materialized views. Of those in SQL and PL/pgSQL whose body is text, and which set no search
 * path of their own, the names of tables, views and functions of users that the body has without a schema. What their
 * bodies call in turn is not followed, and a name that stands for something else, such as a column, is found as well.
 *
 * Each body is split into words once. A pattern for each pair of body and name would take minutes with thousands of names.
 */
const UNQUALIFIED = `
  WITH users AS (SELECT oid FROM pg_namespace WHERE ${IS_USER_SCHEMA}),
  called AS (
    SELECT DISTINCT p.oid
    FROM pg_depend d
      JOIN pg_proc p ON p.oid = d.refobjid
      JOIN pg_language l ON l.oid = p.prolang
    WHERE d.refclassid = 'pg_proc'::regclass
      AND d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass, 'pg_rewrite'::regclass)
      AND (d.classid <> 'pg_attrdef'::regclass
        OR EXISTS (SELECT FROM pg_attrdef f JOIN pg_attribute a ON (a.attrelid, a.attnum) = (f.adrelid, f.adnum)
                   WHERE f.oid = d.objid AND coalesce(row_to_json(a) ->> 'attgenerated', '') <> ''))
      AND (d.classid <> 'pg_rewrite'::regclass
        OR EXISTS (SELECT FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid = d.objid AND c.relkind = 'm'))
      AND p.pronamespace IN (SELECT oid FROM users) AND l.lanname IN ('sql', 'plpgsql')
      AND row_to_json(p) ->> 'prosqlbody' IS NULL
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting ~ '^search_path=')
  ),
  words AS (
    SELECT DISTINCT oid, word
    FROM called JOIN pg_proc USING (oid),
      regexp_split_to_table(lower(prosrc COLLATE "C"), '[^."a-z0-9_$]+') AS word
  ),
  names AS (
    SELECT relname::text AS name
    FROM pg_class WHERE relnamespace IN (SELECT oid FROM users) AND relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION
    SELECT proname::text FROM pg_proc WHERE pronamespace IN (SELECT oid FROM users)
  )
  SELECT oid::regprocedure::text AS calls, name
  FROM words JOIN names ON name = word AND name ~ '^[a-z_][a-z0-9_]*$'
  ORDER BY 1, 2`;

/** Connection and server errors pass through. */
export async function unqualifiedNames(client: Client): Promise<readonly UnqualifiedName[]> {
  const rows = await queryRows(client, UNQUALIFIED, z.object({ calls: z.string(), name: z.string() }));
  return rows.map(({ calls, name }) => ({ calls: quotedOnOneLine(calls), name }));
}
