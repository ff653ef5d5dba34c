import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow, queryRows } from '../../postgres/connection/query.ts';
import { IS_USER_SCHEMA } from '../../postgres/user-schemas.ts';
import { type TargetExtensions, targetExtensions } from './extensions.ts';

/** A table, view, sequence or index in the target database. Names are not quoted. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  /** As in `pg_class.relkind`. */
  readonly kind: string;
  /** Whether it has not even storage for a row; always true for what has no storage of its own. */
  readonly isEmpty: boolean;
  /** False for a materialized view that was never refreshed. */
  readonly isPopulated: boolean;
}

/** A schema in the target database. */
export interface Schema {
  /** Not quoted. */
  readonly name: string;
  /** Whether this user may create objects in it. */
  readonly mayCreate: boolean;
  /** Whether this user may use the objects in it. */
  readonly mayUse: boolean;
}

/** A foreign-data wrapper in the target database. */
export interface Wrapper {
  /** Not quoted. */
  readonly name: string;
  /** Whether this user may create servers with it. */
  readonly mayUse: boolean;
}

/** What the target database has, outside of the system's schemas. */
export interface TargetObjects {
  readonly relations: readonly Relation[];
  readonly schemas: readonly Schema[];
  readonly extensions: TargetExtensions;
  readonly wrappers: readonly Wrapper[];
  readonly hasLargeObjects: boolean;
}

/** Connection and server errors pass through. */
export async function targetObjects(client: Client): Promise<TargetObjects> {
  const { has } = await queryRow(
    client,
    'SELECT EXISTS (SELECT FROM pg_largeobject_metadata) AS has',
    z.object({ has: z.boolean() }),
  );
  return {
    relations: await relationsOf(client),
    schemas: await schemasOf(client),
    extensions: await targetExtensions(client),
    wrappers: await wrappersOf(client),
    hasLargeObjects: has,
  };
}

async function schemasOf(client: Client): Promise<readonly Schema[]> {
  return queryRows(
    client,
    `SELECT nspname AS name, has_schema_privilege(oid, 'CREATE') AS "mayCreate",
       has_schema_privilege(oid, 'USAGE') AS "mayUse"
     FROM pg_namespace WHERE ${IS_USER_SCHEMA}`,
    z.object({ name: z.string(), mayCreate: z.boolean(), mayUse: z.boolean() }),
  );
}

async function wrappersOf(client: Client): Promise<readonly Wrapper[]> {
  return queryRows(
    client,
    `SELECT fdwname AS name, has_foreign_data_wrapper_privilege(oid, 'USAGE') AS "mayUse" FROM pg_foreign_data_wrapper`,
    z.object({ name: z.string(), mayUse: z.boolean() }),
  );
}

/** Everything that has rows or shows them. Connection and server errors pass through. */
export async function relationsOf(client: Client): Promise<readonly Relation[]> {
  const rows = await queryRows(
    client,
    `SELECT nspname AS schema, relname AS name, relkind AS kind, relispopulated AS "isPopulated",
       pg_relation_size(c.oid) AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE ${IS_USER_SCHEMA}`,
    // There is no size of what was dropped meanwhile.
    z.object({
      schema: z.string(),
      name: z.string(),
      kind: z.string(),
      isPopulated: z.boolean(),
      bytes: bigint.nullable(),
    }),
  );
  return rows.map(({ bytes, ...relation }) => ({ ...relation, isEmpty: (bytes ?? 0) === 0 }));
}
