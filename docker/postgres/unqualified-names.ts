import type { Client } from 'pg';
import { z } from 'zod';
import { queryRows } from './connection/query.ts';
import { quotedOnOneLine } from './names/quoting.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** A text that a restore runs as SQL, and a name in it that a restore does not find. */
export interface UnqualifiedName {
  /**
   * The function whose body it is, with its schema and parameter types, or the view that has it as a literal, on one
   * line.
   */
  readonly calls: string;
  /** Quoted if need be, on one line. */
  readonly name: string;
}

/** A name in a body, or several with dots between them, each in quotation marks or folded to lower case. */
const NAME = String.raw`(?:"(?:[^"]|"")+"|[^\x01-@\[-^\x60{-\x7f][^\x01-#%-/:-@\[-^\x60{-\x7f]*)`;
const NAMES = `${NAME}(?:[[:space:]]*[.][[:space:]]*${NAME})*`;

/** The inside of a literal as the server prints it, with its quotes doubled; this pattern is in a literal itself. */
const LITERAL = "''((?:[^'']|'''')*)''";

/**
 * Functions that pg_restore has the server call while it restores, with an empty search path: in generated columns,
 * constraints, indexes and materialized views, also by way of views, operators and aggregates. Of those in SQL and
 * PL/pgSQL whose body is text, and which set no search path, the names of tables, views, sequences, types, functions,
 * collations and text search configurations and dictionaries of users that the body has without a schema. What their
 * bodies call in turn is followed if they name it with its schema. Operators are not found, and a name that stands for
 * something else, such as a column, is.
 *
 * Views may have queries as literals, for functions such as `ts_stat` and `crosstab`. Their other names the server
 * prints with their schemas.
 *
 * Each body is split into names once. A pattern for each pair of body and name would take minutes with thousands of
 * names.
 */
const UNQUALIFIED = `
  WITH RECURSIVE users AS (SELECT oid FROM pg_namespace WHERE ${IS_USER_SCHEMA}),
  used (classid, objid) AS (
    (SELECT 'pg_attrdef'::regclass::oid, f.oid
     FROM pg_attrdef f JOIN pg_attribute a ON (a.attrelid, a.attnum) = (f.adrelid, f.adnum)
     WHERE coalesce(row_to_json(a) ->> 'attgenerated', '') <> ''
     UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
     UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class
     UNION ALL SELECT 'pg_rewrite'::regclass, r.oid
     FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relkind = 'm')
    UNION
    SELECT CASE WHEN r.oid IS NULL THEN d.refclassid ELSE 'pg_rewrite'::regclass END, coalesce(r.oid, d.refobjid)
    FROM used
      JOIN pg_depend d USING (classid, objid)
      LEFT JOIN (pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class AND c.relkind = 'v')
        ON (d.refclassid, d.refobjid) = ('pg_class'::regclass, c.oid)
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) OR r.oid IS NOT NULL
  ),
  bodies AS (
    SELECT p.oid, p.prosrc AS body, quote_ident(n.nspname) || '.' || quote_ident(p.proname) AS name
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE n.oid IN (SELECT oid FROM users) AND l.lanname IN ('sql', 'plpgsql')
      AND row_to_json(p) ->> 'prosqlbody' IS NULL
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting ~ '^search_path=')
      AND prosrc !~* 'search_path'
  ),
  called AS (
    SELECT oid, body FROM used JOIN bodies ON oid = objid WHERE classid = 'pg_proc'::regclass
    UNION
    SELECT b.oid, b.body
    FROM called c CROSS JOIN LATERAL regexp_matches(c.body COLLATE "C", '${NAMES}', 'g') AS matched
      JOIN bodies b ON b.name = lower(matched[1])
  ),
  texts AS (
    SELECT oid::regprocedure::text AS calls, body FROM called
    UNION ALL
    SELECT ev_class::regclass::text, literal[1]
    FROM used JOIN pg_rewrite r ON r.oid = objid
      CROSS JOIN LATERAL regexp_matches(pg_get_viewdef(ev_class), '${LITERAL}', 'g') AS literal
    WHERE classid = 'pg_rewrite'::regclass AND literal[1] ~* '[[:<:]]from[[:>:]]'
  ),
  words AS (
    SELECT calls, CASE WHEN given ~ '^"' THEN replace(substr(given, 2, length(given) - 2), '""', '"') ELSE lower(given) END AS word
    FROM texts, LATERAL (
      SELECT DISTINCT matched[1] COLLATE "C" AS given FROM regexp_matches(body COLLATE "C", '${NAMES}', 'g') AS matched
    ) AS found
  ),
  names AS (
    SELECT relname::text AS name
    FROM pg_class WHERE relnamespace IN (SELECT oid FROM users) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION
    SELECT typname::text FROM pg_type t WHERE typnamespace IN (SELECT oid FROM users)
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    UNION
    SELECT proname::text FROM pg_proc WHERE pronamespace IN (SELECT oid FROM users)
    UNION
    SELECT collname::text FROM pg_collation WHERE collnamespace IN (SELECT oid FROM users)
    UNION
    SELECT cfgname::text FROM pg_ts_config WHERE cfgnamespace IN (SELECT oid FROM users)
    UNION
    SELECT dictname::text FROM pg_ts_dict WHERE dictnamespace IN (SELECT oid FROM users)
  )
  SELECT DISTINCT calls, quote_ident(name) AS name FROM words JOIN names ON name = word ORDER BY 1, 2`;

/** Connection and server errors pass through. */
export async function unqualifiedNames(client: Client): Promise<readonly UnqualifiedName[]> {
  const rows = await queryRows(client, UNQUALIFIED, z.object({ calls: z.string(), name: z.string() }));
  return rows.map(({ calls, name }) => ({ calls: quotedOnOneLine(calls), name: quotedOnOneLine(name) }));
}
