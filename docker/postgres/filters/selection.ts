import { distance } from 'fastest-levenshtein';
import pg, { type Client, type QueryConfig } from 'pg';
import { z } from 'zod';
import { FILTER_FIELDS } from '../../../contract.ts';
import { Failure } from '../../failure.ts';
import { bigint, queryRows } from '../connection/query.ts';
import { literal, nameOf } from '../quoting.ts';
import { IS_USER_SCHEMA } from '../user-schemas.ts';
import type { FilterField, Filters } from './filters.ts';
import type { LeftOut } from './left-out.ts';
import { translated } from './pattern.ts';
import { searchPathOf } from './search-path.ts';

/** What filters leave out of a dump. */
export interface Selection {
  /** For the reader. */
  readonly leftOut: LeftOut;
  /** OIDs of the tables, views and sequences that are not dumped. */
  readonly relations: readonly number[];
  /** OIDs of the tables that are dumped without their rows. */
  readonly withoutRows: readonly number[];
}

export const EVERYTHING: Selection = {
  leftOut: { tables: [], rows: [], objectsWithoutSchema: false },
  relations: [],
  withoutRows: [],
};

/** SQL condition that an OID is none of a list. */
export function isNoneOf(column: string, oids: readonly number[]): string {
  return `${column} <> ALL ('{${oids.join(',')}}'::oid[])`;
}

/** A pattern of a field of the secret. */
interface Wanted {
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

type Relation = z.infer<typeof relationSchema>;

const schemaSchema = z.object({ schema: z.string(), system: z.boolean(), matches: z.array(z.boolean()) });

function isOfSchemas({ field }: Wanted): boolean {
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

function matching(wanted: readonly Wanted[]): string {
  return `ARRAY[${wanted.map(condition).join(', ')}]::bool[] AS matches`;
}

/** Relations that may be dumped. `visible`: whether it is the first of its name in the search path, the parameter. */
function relationsQuery(wanted: readonly Wanted[]): string {
  return `
    SELECT oid::bigint, schema, name, kind, owner::bigint, identity, ${matching(wanted)}
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

function schemasQuery(wanted: readonly Wanted[]): string {
  return `
    SELECT schema, system, ${matching(wanted)}
    FROM (SELECT nspname AS schema, NOT (${IS_USER_SCHEMA}) AS system FROM pg_namespace) schemas ORDER BY 1`;
}

const INVALID_REGULAR_EXPRESSION = '2201B';

/**
 * Asks within a transaction, which goes on if a pattern is wrong.
 *
 * @throws {Failure} `badSecret` if a pattern is no regular expression
 */
async function ask<T>(client: Client, query: string | QueryConfig, row: z.ZodType<T>): Promise<readonly T[]> {
  await client.query('SAVEPOINT filters');
  try {
    return await queryRows(client, query, row);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INVALID_REGULAR_EXPRESSION) {
      await client.query('ROLLBACK TO SAVEPOINT filters');
      throw new Failure('badSecret', `A pattern in ${FILTER_FIELDS.join(', ')} is invalid: ${error.message}.`);
    }
    throw error;
  }
}

/** Most letters by which a name may differ from a pattern to be suggested. */
const NEAR = 3;

const MOST_SUGGESTIONS = 3;

/** What follows the schema. */
function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Says of a pattern that matched nothing what was probably meant. @param names on one line, for the reader */
function unmatched({ field, pattern }: Wanted, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, far: Math.min(distance(pattern, name), distance(lastOf(pattern), lastOf(name))) }))
    .filter(({ far }) => far <= NEAR)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ name }) => name);
  const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
  return `the pattern ${pattern} of ${field} matches nothing${hint}`;
}

/** pg_dump would dump the system's schemas as well, and no server could restore that. */
function tooWide({ field, pattern }: Wanted, systems: readonly { readonly schema: string }[]): readonly string[] {
  const names = systems.map(({ schema }) => schema).join(', ');
  return systems.length === 0
    ? []
    : [`the pattern ${pattern} of ${field} also matches ${names} of the system: write one that only matches your own`];
}

/**
 * Finds out what filters leave out, as pg_dump will. Connection and server errors pass through.
 *
 * @throws {Failure} `badSecret` if a pattern is invalid, or matches nothing
 */
export async function select(client: Client, filters: Filters): Promise<Selection> {
  const wanted = FILTER_FIELDS.flatMap((field) => filters[field].map((pattern) => ({ field, pattern })));
  if (wanted.length === 0) {
    return EVERYTHING;
  }
  const schemas = await ask(client, schemasQuery(wanted.filter(isOfSchemas)), schemaSchema);
  const relations = await ask(
    client,
    { text: relationsQuery(wanted), values: [await searchPathOf(client)] },
    relationSchema,
  );
  const own = schemas.filter(({ system }) => !system);
  const problems = [
    ...wanted.filter(isOfSchemas).flatMap((each, index) => [
      ...(own.some(({ matches }) => matches[index])
        ? []
        : [
            unmatched(
              each,
              own.map(({ schema }) => nameOf({ schema: '', name: schema })),
            ),
          ]),
      ...(each.field === 'schemas'
        ? tooWide(
            each,
            schemas.filter(({ system, matches }) => system && matches[index]),
          )
        : []),
    ]),
    ...wanted.flatMap((each, index) =>
      isOfSchemas(each) || relations.some(({ matches }) => matches[index])
        ? []
        : [unmatched(each, relations.map(nameOf))],
    ),
  ];
  if (problems.length > 0) {
    throw new Failure('badSecret', `Wrong filters in the secret: ${problems.join('; ')}.`);
  }
  return selectionOf(wanted, relations, filters.schemas.length > 0);
}

/** A sequence of an identity column goes with its table, and one that otherwise belongs to a table is dumped with it. */
function selectionOf(wanted: readonly Wanted[], relations: readonly Relation[], isPartial: boolean): Selection {
  const isMatched = ({ matches }: Relation, field: FilterField): boolean =>
    wanted.some((each, index) => each.field === field && matches[index]);
  const isExcluded = (relation: Relation): boolean =>
    (isPartial && !isMatched(relation, 'schemas')) ||
    isMatched(relation, 'excludeschemas') ||
    isMatched(relation, 'excludetables');
  const excluded = new Set(relations.filter(isExcluded).map(({ oid }) => oid));
  const isLeftOut = ({ oid, owner, identity }: Relation): boolean =>
    owner === null ? excluded.has(oid) : excluded.has(owner) && (identity || excluded.has(oid));
  const leftOut = relations.filter(isLeftOut);
  const withoutRows = relations.filter(
    (relation) => relation.kind === 'r' && !isLeftOut(relation) && isMatched(relation, 'excludetabledata'),
  );
  return {
    leftOut: {
      tables: leftOut.filter(({ kind }) => kind !== 'S').map(nameOf),
      rows: withoutRows.map(nameOf),
      objectsWithoutSchema: isPartial,
    },
    relations: leftOut.map(({ oid }) => oid),
    withoutRows: withoutRows.map(({ oid }) => oid),
  };
}
