import type { ArchiveObject } from '../stored-dump/table-of-contents.ts';
import type { TargetDatabase } from './database.ts';
import type { TargetObjects } from './objects.ts';

/** What can only be created by a user with CREATE on its schema, in pg_dump's words. */
const IN_SCHEMA: ReadonlySet<string> = new Set([
  ...['TABLE', 'FOREIGN TABLE', 'VIEW', 'MATERIALIZED VIEW', 'SEQUENCE', 'INDEX', 'CONSTRAINT', 'STATISTICS'],
  ...['TYPE', 'SHELL TYPE', 'DOMAIN', 'COLLATION', 'CONVERSION', 'FUNCTION', 'PROCEDURE', 'AGGREGATE'],
  ...['OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY'],
  ...['TEXT SEARCH PARSER', 'TEXT SEARCH DICTIONARY', 'TEXT SEARCH TEMPLATE', 'TEXT SEARCH CONFIGURATION'],
]);

/** What can only be created by a user with CREATE on the database. */
const IN_DATABASE: ReadonlySet<string> = new Set(['SCHEMA', 'EXTENSION', 'PUBLICATION', 'PROCEDURAL LANGUAGE']);

/** Privileges that a restore needs and the user lacks. Names are not quoted. */
export interface MissingGrants {
  /** Whether CREATE on the database is missing. */
  readonly database: boolean;
  /** Schemas on which CREATE or USAGE is missing. */
  readonly schemas: readonly string[];
  /** Schemas that neither exist nor are created by the dump. */
  readonly absent: readonly string[];
}

/** Compares what the dump creates with what the user may create. */
export function missingGrants(
  objects: readonly ArchiveObject[],
  before: TargetObjects,
  { mayCreate }: Pick<TargetDatabase, 'mayCreate'>,
): MissingGrants {
  const schemas = new Map(before.schemas.map((schema) => [schema.name, schema]));
  const { installed } = before.extensions;
  // Of the schema `public`, a dump has at most properties.
  const exists = ({ kind, name }: ArchiveObject) =>
    (kind === 'SCHEMA' && (schemas.has(name) || name === 'public')) || (kind === 'EXTENSION' && installed.has(name));
  const created = objects.filter((object) => IN_DATABASE.has(object.kind) && !exists(object));
  const createdSchemas = new Set(created.filter(({ kind }) => kind === 'SCHEMA').map(({ name }) => name));
  const createsExtension = created.some(({ kind }) => kind === 'EXTENSION');
  const used = [...new Set(objects.filter(({ kind }) => IN_SCHEMA.has(kind)).map(({ schema }) => schema))];
  return {
    database: !mayCreate && created.length > 0,
    schemas: used.filter((name) => {
      const schema = schemas.get(name);
      return schema !== undefined && !(schema.mayCreate && schema.mayUse);
    }),
    // An extension may create a schema that the dump does not mention.
    absent: used.filter((name) => !schemas.has(name) && !createdSchemas.has(name) && !createsExtension),
  };
}
