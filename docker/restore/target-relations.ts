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

/** Everything in a database that has rows or shows them, outside of the system's schemas. Errors pass through. */
export async function relationsOf(client: Client): Promise<readonly Relation[]> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string; bytes: string }>(
    `SELECT nspname AS schema, relname AS name, relkind AS kind, pg_relation_size(c.oid) AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
  );
  return rows.map(({ schema, name, kind, bytes }) => ({ schema, name, kind, isEmpty: Number(bytes) === 0 }));
}
