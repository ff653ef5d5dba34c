import type { Client, QueryResultRow } from 'pg';

/** Runs a query that always returns exactly one row. Connection and server errors pass through. */
export async function queryRow<T extends QueryResultRow>(client: Client, query: string): Promise<T> {
  const [row] = (await client.query<T>(query)).rows;
  if (row === undefined) {
    throw new Error('The server returned no row for a query that always has one.');
  }
  return row;
}

/** The major version in a `server_version_num`: 16 for 160004. */
export function majorOf(versionNumber: number): number {
  return Math.trunc(versionNumber / 10_000);
}
