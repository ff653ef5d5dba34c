import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { z } from 'zod';
import type { HashedCount, RowHash } from '../../census/row-hash.ts';
import { bigint, queryRow, queryRows } from '../../postgres/connection/query.ts';
import { tablesWithMoney } from '../../postgres/database.ts';
import { identifier, literal } from '../../postgres/names/quoting.ts';
import { keyOf } from '../comparison.ts';
import type { Relation } from '../target/objects.ts';
import type { Unread } from './attempt.ts';
import type { ExpectedTable } from './expected-census.ts';

/** Whether only the number of rows is compared, or also their hash, for which all of them are read. */
export const VERIFICATIONS = ['rows', 'content'] as const;

export type Verification = (typeof VERIFICATIONS)[number];

/** A number, and a hash if one was asked for and can be compared. */
export type Counted = HashedCount | Pick<HashedCount, 'count'>;

/** A table of an extension in the database. */
interface ExtensionTable {
  /** Name and version of the extension. */
  readonly extension: string;
  readonly version: string;
  /** Of the rows that pg_dump takes, since the extension brings the others itself. Empty if pg_dump takes them all. */
  readonly condition: string;
}

/** What is known of the tables of a database before they are counted, by the keys of their names. */
export interface Catalog {
  /** As in `pg_class.relkind`. */
  readonly kinds: ReadonlyMap<string, string>;
  readonly ofExtensions: ReadonlyMap<string, ExtensionTable>;
  /** Tables with values of the type `money`, if these are written by another locale than in the dump. */
  readonly withOtherMoney: ReadonlySet<string>;
  /** By which they were written there. */
  readonly moneyLocale: string | null;
}

/**
 * Connection and server errors pass through.
 *
 * @param client with the settings of the dump, as far as the server has what these name
 * @param moneyLocale of the dump
 */
export async function catalogOf(
  client: pg.Client,
  relations: readonly Relation[],
  moneyLocale: string | null,
): Promise<Catalog> {
  const { present } = await queryRow(
    client,
    "SELECT current_setting('lc_monetary') AS present",
    z.object({ present: z.string() }),
  );
  const withOtherMoney = moneyLocale === null || moneyLocale === present ? [] : await tablesWithMoney(client);
  const ofExtensions = await queryRows(
    client,
    `SELECT nspname AS schema, relname AS name, extname AS extension, extversion AS version, coalesce((
       SELECT given FROM unnest(extconfig, extcondition) AS config (oid, given) WHERE config.oid = c.oid
     ), '') AS condition
     FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid JOIN pg_class c ON c.oid = objid
       JOIN pg_namespace n ON n.oid = relnamespace
     WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass AND deptype = 'e'`,
    z.object({
      ...{ schema: z.string(), name: z.string() },
      ...{ extension: z.string(), version: z.string(), condition: z.string() },
    }),
  );
  return {
    kinds: new Map(relations.map((relation) => [keyOf(relation), relation.kind])),
    ofExtensions: new Map(ofExtensions.map((table) => [keyOf(table), table])),
    withOtherMoney: new Set(withOtherMoney.map(keyOf)),
    moneyLocale,
  };
}

/** The text that COPY sends of a query, in pieces of any length. Connection and server errors pass through. */
export function copied(client: pg.Client, query: string, options = ''): AsyncIterable<Buffer> {
  return client.query(copyTo(`COPY (${query}) TO STDOUT${options}`));
}

/** Whether a name, which may have any bytes in the encoding `SQL_ASCII`, was not UTF-8. Then it cannot be asked for. */
function isAltered(name: string | undefined): boolean {
  return name?.includes('\uFFFD') ?? false;
}

function otherVersion({ extension, version }: ExtensionTable, dumped: string | undefined): string {
  return (
    `the extension ${identifier(extension)} decides which of its rows are dumped, and its version is ${version} here and ` +
    `${dumped ?? 'not known'} in the dumped database`
  );
}

/** How rows are counted. */
export interface Counting {
  readonly catalog: Catalog;
  /** Versions of the extensions of the dumped database, by their names. */
  readonly extensions: ReadonlyMap<string, string>;
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
  { catalog: { kinds, ofExtensions, withOtherMoney, moneyLocale }, extensions, verification, encoding, hash }: Counting,
): Promise<Counted | Unread | undefined> {
  if ([table.schema, table.name, verification === 'rows' ? '' : table.columns].some(isAltered)) {
    return { kind: 'hidden', reason: 'it has a name that is not UTF-8' };
  }
  const kind = kinds.get(keyOf(table));
  if (kind !== 'r' && kind !== 'p') {
    return undefined;
  }
  if (withOtherMoney.has(keyOf(table))) {
    const locale = literal(moneyLocale ?? '');
    return {
      kind: 'hidden',
      reason: `the dump has its values of the type money in the format of the locale ${locale}, which this server does not have`,
    };
  }
  const owner = ofExtensions.get(keyOf(table));
  if (owner !== undefined && owner.version !== extensions.get(owner.extension)) {
    return { kind: 'hidden', reason: otherVersion(owner, extensions.get(owner.extension)) };
  }
  const name = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`;
  // Rows of tables that inherit from it are not its own.
  const source = `${kind === 'r' ? 'ONLY ' : ''}${name} ${owner?.condition ?? ''}`;
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
