import pg, { type Client, type QueryConfig } from 'pg';
import { z } from 'zod';
import { FILTER_FIELDS } from '../../../contract.ts';
import { Failure } from '../../failure.ts';
import { inSavepoint } from '../connection/in-savepoint.ts';
import { bigint, queryRows } from '../connection/query.ts';
import { literal } from '../names/quoting.ts';
import { IS_USER_SCHEMA } from '../user-schemas.ts';
import type { FilterField } from './filters.ts';
import { translated } from './pattern.ts';
import { searchPathOf } from './search-path.ts';

/** A pattern of a field of the secret. */
export interface Wanted {
  readonly field: FilterField;
  readonly pattern: string;
}

const relationSchema = z.object({
  oid: bigint,
  schema: z.string(),
  name: z.string(),
  kind: z.string(),
  /** OID of the table that a sequence belongs to. */
  owner: bigint.nullable(),
  /** Whether it is the sequence of an identity column. */
  identity: z.boolean(),
  /** Which patterns match, in their order. */
  matches: z.array(z.boolean()),
});

export type Relation = z.infer<typeof relationSchema>;

/** Whether a dump has contents of it: rows, the value of a sequence, or the command that fills a materialized view. */
export function hasContents({ kind }: Relation): boolean {
  return kind === 'r' || kind === 'S' || kind === 'm';
}

const schemaSchema = z.object({
  oid: bigint,
  schema: z.string(),
  system: z.boolean(),
  /** Which patterns match, in their order. */
  matches: z.array(z.boolean()),
});

export type Schema = z.infer<typeof schemaSchema>;

/** What patterns match: schemas and relations, in the order of their names. */
export interface Matches {
  readonly schemas: readonly Schema[];
  readonly relations: readonly Relation[];
}

export function isOfSchemas({ field }: Wanted): boolean {
  return field === 'schemas' || field === 'excludeschemas';
}

/** Condition that a pattern matches, as pg_dump asks: in the database's collation. */
function condition(wanted: Wanted): string {
  const [first = '', second] = translated(wanted.pattern).map((part) => `${literal(part)} COLLATE "default"`);
  if (isOfSchemas(wanted)) {
    return `schema::text ~ ${first}`;
  }
  return second === undefined
    ? `visible AND name::text ~ ${first}`
    : `schema::text ~ ${first} AND name::text ~ ${second}`;
}

function matching(conditions: readonly string[]): string {
  return `ARRAY[${conditions.join(', ')}]::bool[] AS matches`;
}

/** Relations that may be dumped. `visible`: whether it is the first of its name in the search path. */
function relationsQuery(wanted: readonly Wanted[]): string {
  return `
    SELECT oid::bigint, schema, name, kind, owner::bigint, identity, ${matching(wanted.map(condition))}
    FROM (
      SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
        d.refobjid AS owner, coalesce(d.deptype = 'i', false) AS identity,
        coalesce(n.nspname = (
          SELECT other.nspname
          FROM unnest($1::text[]) WITH ORDINALITY AS path (name, position)
            JOIN pg_namespace other ON other.nspname = path.name
            JOIN pg_class same ON same.relnamespace = other.oid AND same.relname = c.relname
          WHERE has_schema_privilege(other.oid, 'USAGE')
          ORDER BY position LIMIT 1
        ), false) AS visible
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid <> 0 AND d.deptype IN ('a', 'i')
      WHERE c.relkind IN ('r', 'p', 'S', 'f', 'v', 'm') AND ${IS_USER_SCHEMA}
    ) relations
    ORDER BY schema, name`;
}

/** A pattern of tables matches no schema. */
function schemasQuery(wanted: readonly Wanted[]): string {
  const conditions = wanted.map((each) => (isOfSchemas(each) ? condition(each) : 'false'));
  return `
    SELECT oid::bigint, schema, system, ${matching(conditions)}
    FROM (SELECT oid, nspname AS schema, NOT (${IS_USER_SCHEMA}) AS system FROM pg_namespace) schemas ORDER BY schema`;
}

const INVALID_REGULAR_EXPRESSION = '2201B';

/**
 * Asks within a transaction, which goes on if a pattern is wrong.
 *
 * @throws {Failure} `badSecret` if a pattern is no regular expression
 */
async function ask<T>(client: Client, query: string | QueryConfig, row: z.ZodType<T>): Promise<readonly T[]> {
  try {
    return await inSavepoint(client, 'undone', () => queryRows(client, query, row));
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INVALID_REGULAR_EXPRESSION) {
      throw new Failure('badSecret', `A pattern in ${FILTER_FIELDS.join(', ')} is invalid: ${error.message}.`);
    }
    throw error;
  }
}

/**
 * Asks the server what patterns match. Connection and server errors pass through.
 *
 * @throws {Failure} `badSecret` if a pattern is no regular expression
 */
export async function matchesOf(client: Client, wanted: readonly Wanted[]): Promise<Matches> {
  return {
    schemas: await ask(client, schemasQuery(wanted), schemaSchema),
    relations: await ask(
      client,
      { text: relationsQuery(wanted), values: [await searchPathOf(client)] },
      relationSchema,
    ),
  };
}
