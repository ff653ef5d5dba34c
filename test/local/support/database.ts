import pg from 'pg';
import type { PostgresServer } from '../../../local/postgres/server.ts';

/** Runs statements in a database. @returns the rows of the last one */
export async function query(
  { host, port, user, password }: PostgresServer,
  database: string,
  ...statements: readonly string[]
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    let rows: readonly Record<string, unknown>[] = [];
    for (const statement of statements) {
      ({ rows } = await client.query<Record<string, unknown>>(statement));
    }
    return rows;
  } finally {
    await client.end();
  }
}

/** The tables of a database with hashes of their rows, the state of its sequences, and its views. */
export async function fingerprint(server: PostgresServer, database: string): Promise<Record<string, unknown>> {
  const tables = await query(
    server,
    database,
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const result: Record<string, unknown> = {};
  for (const { name } of tables) {
    const [row] = await query(
      server,
      database,
      `select count(*)::int as rows, md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as hash from ${String(name)} t`,
    );
    result[String(name)] = row;
  }
  result.sequences = await query(server, database, 'select sequencename, last_value from pg_sequences order by 1');
  result.views = await query(
    server,
    database,
    `select viewname, definition from pg_views where schemaname = 'public' order by 1`,
  );
  return result;
}
