import { z } from 'zod';
import { FILTER_FIELDS } from '../../../contract.ts';

const patterns = z.array(z.string());

/**
 * Which part of a database to dump, by patterns of pg_dump:
 * https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
 */
export const filtersSchema = z.object({
  schemas: patterns.describe('only these schemas, and nothing that is in no schema; empty for all'),
  excludeschemas: patterns.describe('schemas to leave out'),
  excludetables: patterns.describe('tables, views and sequences to leave out'),
  excludetabledata: patterns.describe('tables, sequences and materialized views to dump without their contents'),
});

export type Filters = Readonly<z.infer<typeof filtersSchema>>;

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
