import pg from 'pg';
import { z } from 'zod';
import type { HashedCount, RowHash } from '../../census/row-hash.ts';
import { bigint, queryRow, queryRows } from '../../postgres/connection/query.ts';
import { literal } from '../../postgres/quoting.ts';
import { keyOf } from '../comparison.ts';
import { relationsOf } from '../target/objects.ts';
import type { Unread } from './attempt.ts';
import { copied } from './copied.ts';
import type { ExpectedTable } from './expected-census.ts';

/** Whether only the number of rows is compared, or also their hash, for which all of them are read. */
export const VERIFICATIONS = ['rows', 'content'] as const;

export type Verification = (typeof VERIFICATIONS)[number];

/** A number, and a hash if one was asked for and can be compared. */
export type Counted = HashedCount | Pick<HashedCount, 'count'>;

/** What is known of the tables of a database before they are counted, by the keys of their names. */
export interface Catalog {
  /** As in `pg_class.relkind`. */
  readonly kinds: ReadonlyMap<string, string>;
  /**
   * Conditions of the rows that pg_dump takes from tables of extensions, whose other rows the extension brings itself.
   * Empty if it takes them all.
   */
  readonly conditions: ReadonlyMap<string, string>;
}

/** Connection and server errors pass through. */
export async function catalogOf(client: pg.Client): Promise<Catalog> {
  const relations = await relationsOf(client);
  const configured = await queryRows(
    client,
    `SELECT nspname AS schema, relname AS name, condition
     FROM pg_extension, unnest(extconfig, extcondition) AS config (oid, condition)
     JOIN pg_class c ON c.oid = config.oid JOIN pg_namespace n ON n.oid = relnamespace`,
    z.object({ schema: z.string(), name: z.string(), condition: z.string() }),
  );
  return {
    kinds: new Map(relations.map((relation) => [keyOf(relation), relation.kind])),
    conditions: new Map(configured.map((table) => [keyOf(table), table.condition])),
  };
}

/** Whether a name, which may have any bytes in the encoding `SQL_ASCII`, was not UTF-8. Then it cannot be asked for. */
function isAltered(name: string | undefined): boolean {
  return name?.includes('\uFFFD') ?? false;
}

/** How rows are counted. */
export interface Counting {
  readonly catalog: Catalog;
  readonly verification: Verification;
  /** PostgreSQL's name of the encoding in which rows are hashed. */
  readonly encoding: string;
  readonly hash: RowHash;
}

/**
 * The rows of a table, as pg_dump takes them. Connection and server errors pass through.
 *
 * @returns undefined if there is no such table
 */
export async function countRows(
  client: pg.Client,
  table: ExpectedTable,
  { catalog: { kinds, conditions }, verification, encoding, hash }: Counting,
): Promise<Counted | Unread | undefined> {
  if ([table.schema, table.name, verification === 'rows' ? '' : table.columns].some(isAltered)) {
    return { kind: 'hidden', reason: 'it has a name that is not UTF-8' };
  }
  const kind = kinds.get(keyOf(table));
  if (kind !== 'r' && kind !== 'p') {
    return undefined;
  }
  const name = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`;
  // Rows of tables that inherit from it are not its own.
  const source = `${kind === 'r' ? 'ONLY ' : ''}${name} ${conditions.get(keyOf(table)) ?? ''}`;
  if (verification === 'rows' || table.columns === undefined) {
    return queryRow(client, `SELECT count(*) FROM ${source}`, z.object({ count: bigint }));
  }
  // Of a table that could not be read to its end.
  hash.take();
  for await (const piece of copied(
    client,
    `SELECT ${table.columns} FROM ${source}`,
    ` (ENCODING ${literal(encoding)})`,
  )) {
    hash.addRows(piece);
  }
  return hash.take();
}
