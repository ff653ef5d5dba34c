import type { Client } from 'pg';
import { z } from 'zod';
import { ifAnswered } from './connection/if-answered.ts';
import { bigint, majorOf, queryRow, queryRows } from './connection/query.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/** A database and its server, as seen before a dump. */
export interface Database {
  /** As the server reports it: `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  readonly major: number;
  /** `server_version_num`: 160004. */
  readonly versionNumber: number;
  /** Bytes on the server's disk, indexes and dead rows included; null if the server does not answer that. */
  readonly size: number | null;
  /** PostgreSQL's name of its encoding: `UTF8`. */
  readonly encoding: string;
  readonly locale: Locale;
  /** What decides which partition rows belong to, in tables that are partitioned by text. */
  readonly partitionsDependOn: readonly PartitionBasis[];
  /** `lc_monetary`, by which values of the type `money` are written; null if no column has it. */
  readonly moneyLocale: string | null;
  /** {@link TEXT_SETTINGS} of a new session. */
  readonly textSettings: Readonly<Record<string, string>>;
  /** Set for a replica. */
  readonly replica?: Replica;
}

/** How a database sorts and classifies characters by default. */
export interface Locale {
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  /** `LC_COLLATE` */
  readonly collate: string;
  /** `LC_CTYPE` */
  readonly ctype: string;
  /** The provider's own name of the locale; null for `libc`. */
  readonly name: string | null;
  /** Rules of `icu` that change the order of the locale; null if there are none. */
  readonly rules: string | null;
}

/**
 * A hash is one of encoded text, and a range is one of the order that a collation gives it, which may be the
 * database's. Lists compare for equality only. What an expression makes of text, as `lower` does, also depends on how
 * the locale classifies characters.
 */
export const PARTITION_BASES = ['encoding', 'locale', 'classification'] as const;

export type PartitionBasis = (typeof PARTITION_BASES)[number];

export interface Replica {
  /** How long a query may delay the replay of the primary's changes: `30s`, or `-1` for no limit. */
  readonly maxDelay: string;
  /** Whether the primary keeps rows that queries on the replica can still see. */
  readonly feedback: boolean;
}

const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

const encodingSchema = z.object({
  encoding: z.string(),
  provider: z.string(),
  collate: z.string(),
  ctype: z.string(),
  name: z.string().nullable(),
  rules: z.string().nullable(),
});

/**
 * Servers before 15 have `libc` only, those before 16 no rules, and since 17 the name has another column. Errors pass
 * through.
 */
export async function inspectEncoding(client: Client): Promise<Pick<Database, 'encoding' | 'locale'>> {
  const { encoding, provider, ...locale } = await queryRow(
    client,
    `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
      coalesce(row_to_json(d) ->> 'datlocprovider', 'c') AS provider,
      coalesce(row_to_json(d) ->> 'datlocale', row_to_json(d) ->> 'daticulocale') AS name,
      row_to_json(d) ->> 'daticurules' AS rules
     FROM pg_database d WHERE datname = current_database()`,
    encodingSchema,
  );
  return { encoding, locale: { provider: PROVIDERS[provider] ?? provider, ...locale } };
}

const rowSchema = z.object({
  version: z.string(),
  number: z.int(),
  replica: z.boolean(),
  delay: z.string(),
  feedback: z.boolean(),
});

const PARTITIONS_SINCE = 100000;

/** OID of the collation that stands for the locale of the database. */
const DATABASE_COLLATION = 100;

async function partitionsDependOn(client: Client, versionNumber: number): Promise<readonly PartitionBasis[]> {
  if (versionNumber < PARTITIONS_SINCE) {
    return [];
  }
  const depends = await queryRow(
    client,
    `SELECT count(*) FILTER (WHERE partstrat <> 'l') > 0 AS encoding,
      count(*) FILTER (WHERE partstrat = 'r' AND c = ${DATABASE_COLLATION}) > 0 AS locale,
      count(*) FILTER (WHERE attnum = 0) > 0 AS classification
     FROM pg_partitioned_table, unnest(partattrs::int2[], partcollation::oid[]) AS key (attnum, c) WHERE c <> 0`,
    z.object({ encoding: z.boolean(), locale: z.boolean(), classification: z.boolean() }),
  );
  return PARTITION_BASES.filter((basis) => depends[basis]);
}

/** Arrays and domains of the type count, and those of these. */
const MONEY_COLUMNS = `
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
  WHERE ${IS_USER_SCHEMA} AND attnum > 0 AND NOT attisdropped
    AND ARRAY['money'::regtype::oid, 'money[]'::regtype::oid] && ARRAY[t.oid, t.typbasetype, e.typbasetype]`;

const MONEY_LOCALE = `
  SELECT CASE WHEN EXISTS (SELECT ${MONEY_COLUMNS}) THEN current_setting('lc_monetary') END AS "moneyLocale"`;

/** The tables with values that `lc_monetary` decides how to write. Connection and server errors pass through. */
export async function tablesWithMoney(
  client: Client,
): Promise<readonly { readonly schema: string; readonly name: string }[]> {
  return queryRows(
    client,
    `SELECT DISTINCT nspname AS schema, relname AS name ${MONEY_COLUMNS}`,
    z.object({ schema: z.string(), name: z.string() }),
  );
}

/** Settings that decide how values are written as text, and that neither pg_dump nor this program sets for a dump. */
export const TEXT_SETTINGS = ['bytea_output', 'quote_all_identifiers'] as const;

async function textSettings(client: Client): Promise<Readonly<Record<string, string>>> {
  const rows = await queryRows(
    client,
    { text: 'SELECT name, setting FROM pg_settings WHERE name = ANY ($1) ORDER BY 1', values: [TEXT_SETTINGS] },
    z.object({ name: z.string(), setting: z.string() }),
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

/** Size of the database on the server's disk, in bytes. Connection and server errors pass through. */
export async function sizeOf(client: Client): Promise<number> {
  const query = 'SELECT pg_database_size(current_database()) AS size';
  const { size } = await queryRow(client, query, z.object({ size: bigint }));
  return size;
}

/** Connection and server errors pass through. */
export async function inspectDatabase(client: Client): Promise<Database> {
  const row = await queryRow(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
      pg_is_in_recovery() AS replica,
      current_setting('max_standby_streaming_delay') AS delay,
      current_setting('hot_standby_feedback')::bool AS feedback`,
    rowSchema,
  );
  // Of a database with very many files it takes minutes, and some servers reserve it to administrators.
  const size = await ifAnswered(client, 'size', sizeOf);
  return {
    version: row.version,
    major: majorOf(row.number),
    versionNumber: row.number,
    size: 'value' in size ? size.value : null,
    ...(await inspectEncoding(client)),
    partitionsDependOn: await partitionsDependOn(client, row.number),
    ...(await queryRow(client, MONEY_LOCALE, z.object({ moneyLocale: z.string().nullable() }))),
    textSettings: await textSettings(client),
    ...(row.replica ? { replica: { maxDelay: row.delay, feedback: row.feedback } } : {}),
  };
}
