import type { Client } from 'pg';
import { type HashedCount, RowHash } from '../../census/row-hash.ts';
import { nameOf } from '../../postgres/names/quoting.ts';
import type { Relation } from '../target/objects.ts';
import { attempt } from './attempt.ts';
import { countLargeObjects } from './count-large-objects.ts';
import { catalogOf, countRows, type Verification } from './count-rows.ts';
import type { ExpectedCensus, ExpectedTable } from './expected-census.ts';
import { type Found, type Result, resultOf } from './result.ts';

/** Connections to a database, each in a transaction that sees only the system's names. */
export interface Connections {
  /** How many to use at a time. */
  readonly count: number;
  readonly use: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
}

/** A table, or the large objects, of which the database has others than the dump. */
export interface Difference {
  /** Undefined for the large objects. */
  readonly table: Pick<ExpectedTable, 'schema' | 'name'> | undefined;
  readonly expected: HashedCount;
  readonly found: Found;
  /** What differs, with its name and both counts. */
  readonly text: string;
}

interface Compared extends Omit<Difference, 'text' | 'table'> {
  readonly table: ExpectedTable | undefined;
  readonly result: Result;
}

/** How a database compares with the census of a dump. */
export interface CensusComparison {
  /** Number of tables that were compared and do not differ, of all. */
  readonly equal: number;
  readonly tables: number;
  /** Rows of the equal tables. */
  readonly rows: number;
  /** Number of large objects, if these were compared and do not differ; otherwise 0. */
  readonly largeObjects: number;
  /** Tables that the database does not have. */
  readonly absent: readonly ExpectedTable[];
  /** What else differs. */
  readonly differences: readonly Difference[];
  /** What could not be compared, with the reason. */
  readonly hidden: readonly string[];
}

/**
 * Settings by which pg_dump has values written as text, and `row_security`, by which the server refuses to leave out
 * rows. The dump's own settings are added.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  TimeZone: 'UTC',
  row_security: 'off',
};

async function setAsDumped(client: Client, { textSettings }: ExpectedCensus): Promise<void> {
  for (const setting of Object.entries({ ...SETTINGS, ...textSettings })) {
    await client.query({ text: 'SELECT set_config($1, $2, true)', values: setting });
  }
}

/**
 * Compares the tables and large objects of a database with what was counted in a dump while it was proven. Changes
 * nothing. Connection and server errors pass through.
 *
 * @param relations those in the database
 * @param onCounted called after each table
 */
export async function compareWithCensus(
  census: ExpectedCensus,
  verification: Verification,
  relations: readonly Relation[],
  { count, use }: Connections,
  onCounted: () => void = () => undefined,
): Promise<CensusComparison> {
  const { tables, largeObjects, encoding, extensions } = census;
  const catalog = await use(async (client) => {
    await setAsDumped(client, census);
    return catalogOf(client, relations, census.moneyLocale);
  });
  const found: Found[] = [];
  const left = tables.entries();
  const countSome = async (client: Client) => {
    await setAsDumped(client, census);
    const counting = { catalog, extensions, verification, encoding, hash: new RowHash() };
    for (const [index, table] of left) {
      found[index] = await attempt(client, () => countRows(client, table, counting));
      onCounted();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, tables.length) }, () => use(countSome)));
  const compared: Compared[] = tables.map((table, index) => ({
    table,
    expected: table,
    found: found[index],
    result: resultOf(`${nameOf(table)}: `, 'row', table, found[index], verification),
  }));
  if (largeObjects !== undefined) {
    const counted = await use((client) => attempt(client, () => countLargeObjects(client, verification)));
    const result = resultOf('', 'large object', largeObjects, counted, verification);
    compared.push({ table: undefined, expected: largeObjects, found: counted, result });
  }
  const equal = compared.filter(({ result }) => result.kind === 'equal');
  const equalTables = equal.filter(({ table }) => table !== undefined);
  return {
    tables: tables.length,
    equal: equalTables.length,
    rows: equalTables.reduce((sum, { expected }) => sum + expected.count, 0),
    largeObjects: equal.find(({ table }) => table === undefined)?.expected.count ?? 0,
    absent: compared.flatMap(({ table, result }) => (result.kind === 'absent' && table !== undefined ? [table] : [])),
    differences: compared.flatMap(({ result, ...each }) =>
      result.kind === 'different' ? [{ ...each, text: result.text }] : [],
    ),
    hidden: compared.flatMap(({ result }) => (result.kind === 'hidden' ? [result.text] : [])),
  };
}
