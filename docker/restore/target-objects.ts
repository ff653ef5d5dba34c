import type { Client } from 'pg';

/** A table, view, sequence or index in the target database. Names are not quoted. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  /** As in `pg_class.relkind`. */
  readonly kind: string;
  /** Whether it has not even storage for a row; always true for what has no storage of its own. */
  readonly isEmpty: boolean;
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

/** What the target database has, outside of the system's schemas. */
export interface TargetObjects {
  readonly relations: readonly Relation[];
  readonly schemas: readonly Schema[];
  /** Names of the extensions, not quoted. */
  readonly extensions: readonly string[];
}

/** The schemas that are not the system's. */
const USERS = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;

/** Connection and server errors pass through. */
export async function targetObjects(client: Client): Promise<TargetObjects> {
  const { rows: extensions } = await client.query<{ name: string }>('SELECT extname AS name FROM pg_extension');
  return {
    relations: await relationsOf(client),
    schemas: await schemasOf(client),
    extensions: extensions.map(({ name }) => name),
  };
}

async function schemasOf(client: Client): Promise<readonly Schema[]> {
  const { rows } = await client.query<Schema>(
    `SELECT nspname AS name, has_schema_privilege(oid, 'CREATE') AS "mayCreate",
       has_schema_privilege(oid, 'USAGE') AS "mayUse"
     FROM pg_namespace WHERE ${USERS}`,
  );
  return rows;
}

/** Everything that has rows or shows them. Connection and server errors pass through. */
export async function relationsOf(client: Client): Promise<readonly Relation[]> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string; bytes: string }>(
    `SELECT nspname AS schema, relname AS name, relkind AS kind, pg_relation_size(c.oid) AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE ${USERS}`,
  );
  return rows.map(({ schema, name, kind, bytes }) => ({ schema, name, kind, isEmpty: Number(bytes) === 0 }));
}
