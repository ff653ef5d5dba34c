import type { Client } from 'pg';
import { FILTER_FIELDS } from '../../../contract.ts';
import { Failure } from '../../failure.ts';
import { nameOf } from '../names/quoting.ts';
import type { FilterField, Filters } from './filters.ts';
import type { LeftOut } from './left-out.ts';
import { hasContents, matchesOf, type Relation, type Schema, type Wanted } from './matches.ts';
import { problemsWith } from './problems.ts';

/** What filters leave out of a dump. */
export interface Exclusions {
  /** For the reader. */
  readonly leftOut: LeftOut;
  /** OIDs of the schemas of which nothing is dumped. */
  readonly schemas: readonly number[];
  /** OIDs of the tables, views and sequences that are not dumped. */
  readonly relations: readonly number[];
  /** OIDs of the tables, sequences and materialized views that are dumped without their contents. */
  readonly withoutRows: readonly number[];
}

export const NOTHING_EXCLUDED: Exclusions = {
  leftOut: { schemas: [], tables: [], rows: [], objectsWithoutSchema: false },
  schemas: [],
  relations: [],
  withoutRows: [],
};

/** SQL condition that an OID is none of a list. The server hashes it; before version 15, it would search an array. */
export function isNoneOf(column: string, oids: readonly number[]): string {
  return `${column} NOT IN (SELECT unnest('{${oids.join(',')}}'::oid[]))`;
}

/**
 * Finds out what filters leave out, as pg_dump will. Connection and server errors pass through.
 *
 * @throws {Failure} `badSecret` if a pattern is invalid, or matches nothing, or too much
 */
export async function exclusionsOf(client: Client, filters: Filters): Promise<Exclusions> {
  const wanted = FILTER_FIELDS.flatMap((field) => filters[field].map((pattern) => ({ field, pattern })));
  if (wanted.length === 0) {
    return NOTHING_EXCLUDED;
  }
  const matches = await matchesOf(client, wanted);
  const isPartial = filters.schemas.length > 0;
  const { leftOut, kept } = divide(wanted, matches.relations, isPartial);
  const isMatched = (relation: Relation) => matchesField(wanted, relation, 'excludetabledata');
  const withRows = kept.filter((relation) => isTable(relation) && !isMatched(relation)).map(({ oid }) => oid);
  const problems = problemsWith(wanted, matches, new Set(withRows));
  if (problems.length > 0) {
    throw new Failure('badSecret', `Wrong filters in the secret: ${problems.join('; ')}.`);
  }
  const withoutRows = kept.filter((relation) => hasContents(relation) && isMatched(relation));
  const schemas = matches.schemas.filter((schema) => isOfLeftOut(wanted, schema, isPartial));
  return {
    leftOut: {
      schemas: schemas.filter(({ system }) => !system).map(({ schema }) => nameOf({ schema: '', name: schema })),
      tables: leftOut.map(nameOf),
      rows: withoutRows.map(nameOf),
      objectsWithoutSchema: isPartial,
    },
    schemas: schemas.map(({ oid }) => oid),
    relations: leftOut.map(({ oid }) => oid),
    withoutRows: withoutRows.map(({ oid }) => oid),
  };
}

/** Whether it is a table whose rows may be dumped, or consists of such tables. */
function isTable({ kind }: Relation): boolean {
  return kind === 'r' || kind === 'p';
}

function matchesField(wanted: readonly Wanted[], { matches }: Schema | Relation, field: FilterField): boolean {
  return wanted.some((each, index) => each.field === field && matches[index]);
}

/** Whether it is a schema of which nothing is dumped, or is in one. */
function isOfLeftOut(wanted: readonly Wanted[], matched: Schema | Relation, isPartial: boolean): boolean {
  return (isPartial && !matchesField(wanted, matched, 'schemas')) || matchesField(wanted, matched, 'excludeschemas');
}

/**
 * A sequence of an identity column goes with its table, and one that otherwise belongs to a table is dumped with it.
 */
function divide(
  wanted: readonly Wanted[],
  relations: readonly Relation[],
  isPartial: boolean,
): { readonly leftOut: readonly Relation[]; readonly kept: readonly Relation[] } {
  const isExcluded = (relation: Relation): boolean =>
    isOfLeftOut(wanted, relation, isPartial) || matchesField(wanted, relation, 'excludetables');
  const excluded = new Set(relations.filter(isExcluded).map(({ oid }) => oid));
  const isLeftOut = ({ oid, owner, identity }: Relation): boolean =>
    owner === null ? excluded.has(oid) : excluded.has(owner) && (identity || excluded.has(oid));
  return {
    leftOut: relations.filter(isLeftOut),
    kept: relations.filter((relation) => !isLeftOut(relation)),
  };
}
