import { FILTER_FIELDS } from '../../../contract.ts';

/**
 * Which part of a database to dump, by patterns of pg_dump:
 * https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
 */
export interface Filters {
  /** Only these schemas; empty for all. Large objects and extensions are then left out, as by pg_dump. */
  readonly schemas: readonly string[];
  readonly excludeschemas: readonly string[];
  /** Tables, views and sequences to leave out. */
  readonly excludetables: readonly string[];
  /** Tables, sequences and materialized views to dump without their contents. */
  readonly excludetabledata: readonly string[];
}

export type FilterField = (typeof FILTER_FIELDS)[number];

export const NO_FILTERS: Filters = { schemas: [], excludeschemas: [], excludetables: [], excludetabledata: [] };

const OPTIONS: Readonly<Record<FilterField, string>> = {
  schemas: 'schema',
  excludeschemas: 'exclude-schema',
  excludetables: 'exclude-table',
  excludetabledata: 'exclude-table-data',
};

/** The arguments of pg_dump. Each pattern is part of its option, so that none can be taken for another option. */
export function filterOptions(filters: Filters): readonly string[] {
  return FILTER_FIELDS.flatMap((field) => filters[field].map((pattern) => `--${OPTIONS[field]}=${pattern}`));
}
