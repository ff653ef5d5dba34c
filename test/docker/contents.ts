import type { Stage } from './stage.ts';

/** Statements that make a database of all that dumps have stumbled over. */
export const ODD_CONTENTS: readonly string[] = [
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

/**
 * All that is in a database: each relation's rows in an order of their own, sequences, large objects, policies. Two
 * databases with equal contents hold the same.
 */
export async function contentsOf(stage: Stage, database: string): Promise<Readonly<Record<string, unknown>>> {
  const client = await stage.connect(database);
  try {
    const { rows: relations } = await client.query<{ name: string; relkind: string }>(
      `SELECT c.oid::regclass::text AS name, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`,
    );
    const contents: Record<string, unknown> = {};
    for (const { name, relkind } of relations) {
      const columns = relkind === 'S' ? 'last_value, is_called' : '*';
      const { rows } = await client.query(
        `SELECT count(*), md5(string_agg(r::text, E'\\n' ORDER BY r::text)) AS rows FROM (SELECT ${columns} FROM ${name}) r`,
      );
      contents[name] = rows;
    }
    const { rows: largeObjects } = await client.query(
      'SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY oid',
    );
    const { rows: policies } = await client.query(
      'SELECT polname, pg_get_expr(polqual, polrelid) AS condition FROM pg_policy ORDER BY polname',
    );
    return { ...contents, largeObjects, policies };
  } finally {
    await client.end();
  }
}
