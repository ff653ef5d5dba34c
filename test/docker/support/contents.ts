import type pg from 'pg';

/** Statements that create contents which have broken dumps before. */
export const DIFFICULT_CONTENTS: readonly string[] = [
  `CREATE SCHEMA "Schéma mit 'Leerzeichen'"`,
  `CREATE TYPE "Schéma mit 'Leerzeichen'"."mood ""quoted""" AS ENUM ('sad', 'it''s ok', 'glücklich')`,
  `CREATE TABLE "Schéma mit 'Leerzeichen'"."Table ""x"" = $1; --" (
    "spalte ä" "Schéma mit 'Leerzeichen'"."mood ""quoted""", "日本" text, PRIMARY KEY ("日本"))`,
  `INSERT INTO "Schéma mit 'Leerzeichen'"."Table ""x"" = $1; --" VALUES
    ('sad', E'tab\\tnewline\\nbackslash\\\\'), ('glücklich', '☃ 日本 \\.'), (NULL, '')`,
  `CREATE TABLE ids (id bigint GENERATED ALWAYS AS IDENTITY (START 7), twice bigint GENERATED ALWAYS AS (1 + 1) STORED, b bytea)`,
  `INSERT INTO ids (b) SELECT sha256(i::text::bytea) FROM generate_series(1, 1000) i`,
  `CREATE TABLE measured (day date NOT NULL, value float8) PARTITION BY RANGE (day)`,
  `CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')`,
  `CREATE TABLE measured_rest PARTITION OF measured DEFAULT`,
  `INSERT INTO measured SELECT date '2025-06-01' + i, i / 3.0 FROM generate_series(1, 500) i`,
  `INSERT INTO measured VALUES ('2026-01-01', 'NaN'), ('infinity', '-Infinity')`,
  `CREATE MATERIALIZED VIEW per_month AS SELECT date_trunc('month', day) AS month, count(*) AS n
    FROM measured WHERE isfinite(day) GROUP BY 1`,
  `CREATE TABLE tenants (tenant text, secret text)`,
  `INSERT INTO tenants VALUES ('a', 'of a'), ('b', 'of b')`,
  `ALTER TABLE tenants ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own ON tenants USING (tenant = current_user)`,
  `SELECT lo_from_bytea(4711, sha256('large')), lo_from_bytea(4712, convert_to(repeat('large object ', 300000), 'UTF8'))`,
  `CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS one`,
  `CREATE TABLE empty (nothing int)`,
  `CREATE TABLE no_columns ()`,
  `INSERT INTO no_columns DEFAULT VALUES`,
];

/** Opens connections to the databases of a server. */
export interface Server {
  /** The caller must end the connection. */
  connect(database: string): Promise<pg.Client>;
}

const USER_SCHEMAS = `(SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')`;

/** Queries for everything but rows, as definitions printed by the server. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  columns: `SELECT a.attrelid::regclass::text AS of, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
      a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    WHERE c.relnamespace IN ${USER_SCHEMAS} AND c.relkind IN ('r', 'p', 'm', 'v') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY 1, a.attnum`,
  constraints: `SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE connamespace IN ${USER_SCHEMAS} ORDER BY 1, 2`,
  indexes: `SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index JOIN pg_class c ON c.oid = indrelid
    WHERE c.relnamespace IN ${USER_SCHEMAS} ORDER BY 1`,
  views: `SELECT oid::regclass::text AS view, pg_get_viewdef(oid) AS definition FROM pg_class
    WHERE relnamespace IN ${USER_SCHEMAS} AND relkind IN ('v', 'm') ORDER BY 1`,
  extensions: 'SELECT extname, extversion FROM pg_extension ORDER BY 1',
  policies: 'SELECT polname, pg_get_expr(polqual, polrelid) AS condition FROM pg_policy ORDER BY polname',
  largeObjects: `SELECT m.oid, sum(length(data)) AS bytes, sum(hashtextextended(pageno || md5(data), 0)::numeric) AS pages
    FROM pg_largeobject_metadata m LEFT JOIN pg_largeobject ON loid = m.oid GROUP BY m.oid ORDER BY m.oid`,
};

/**
 * The complete contents of a database: a hash of each relation's rows independent of their order, sequences, large
 * objects, and all definitions. If they are equal, so are the databases.
 */
export async function contentsOf(server: Server, database: string): Promise<Readonly<Record<string, unknown>>> {
  const client = await server.connect(database);
  try {
    const { rows: relations } = await client.query<{ name: string; relkind: string }>(
      `SELECT oid::regclass::text AS name, relkind FROM pg_class
       WHERE relkind IN ('r', 'p', 'm', 'S') AND relnamespace IN ${USER_SCHEMAS} ORDER BY 1`,
    );
    const contents: Record<string, unknown> = {};
    for (const { name, relkind } of relations) {
      const columns = relkind === 'S' ? 'last_value, is_called' : '*';
      const { rows } = await client.query(
        `SELECT count(*), sum(hashtextextended(r::text, 0)::numeric) AS rows FROM (SELECT ${columns} FROM ${name}) r`,
      );
      contents[name] = rows;
    }
    for (const [name, query] of Object.entries(DEFINITIONS)) {
      contents[name] = (await client.query(query)).rows;
    }
    return contents;
  } finally {
    await client.end();
  }
}
