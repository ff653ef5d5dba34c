import { z } from 'zod';
import { listed, MANY } from '../../listed.ts';

const names = z.array(z.string());

/** What filters left out of a dump, as its manifest says. Names are qualified, for the reader. */
export const leftOutSchema = z.object({
  // Absent in manifests of earlier versions.
  schemas: names.default([]).describe('of which nothing was dumped'),
  tables: names.describe('tables, views and sequences'),
  rows: names.describe(
    'tables without their rows, sequences without their values, and materialized views that are not populated',
  ),
  objectsWithoutSchema: z.boolean().describe('large objects, extensions and whatever else is in no schema'),
});

export type LeftOut = z.infer<typeof leftOutSchema>;

/** In words, with the names that fit in a line; empty if nothing is left out. */
export function describeLeftOut({ schemas, tables, rows, objectsWithoutSchema }: LeftOut): string {
  return [
    ...(objectsWithoutSchema ? ['large objects, extensions and whatever else is in no schema'] : []),
    ...(schemas.length === 0 ? [] : [`the schemas ${listed(schemas, MANY)}`]),
    ...(tables.length === 0 ? [] : [`the tables, views and sequences ${listed(tables, MANY)}`]),
    ...(rows.length === 0 ? [] : [`the contents of ${listed(rows, MANY)}`]),
  ].join('; ');
}
