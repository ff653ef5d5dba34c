import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/**
 * FROM and WHERE of the tables, partitioned tables, sequences and foreign tables that pg_dump dumps, as `c` in the
 * schema `n`. System schemas are excluded, and so are members of extensions, except configuration tables of an
 * extension.
 */
export function dumpedRelations({ relations }: Exclusions): string {
  return `
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'S', 'f')
    AND ${IS_USER_SCHEMA}
    AND (
      NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      )
      OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))
    )
    AND ${isNoneOf('c.oid', relations)}`;
}
