import type pg from 'pg';
import { type CensusComparison, compareWithCensus } from '../../../docker/restore/census/compare-with-census.ts';
import type { Verification } from '../../../docker/restore/census/count-rows.ts';
import type { ExpectedCensus } from '../../../docker/restore/census/expected-census.ts';
import { relationsOf } from '../../../docker/restore/target/objects.ts';

export interface AfterChanges {
  readonly relations: Awaited<ReturnType<typeof relationsOf>>;
  readonly compared: CensusComparison;
}

/** Compares a restored database with its census after statements that are undone afterwards. */
export async function comparedAfter(
  client: pg.Client,
  census: ExpectedCensus,
  verification: Verification,
  statements: readonly string[],
): Promise<AfterChanges> {
  await client.query('BEGIN');
  try {
    for (const statement of statements) {
      await client.query(statement);
    }
    // As `withConnection` does.
    await client.query('SET LOCAL search_path TO pg_catalog, pg_temp');
    const relations = await relationsOf(client);
    const connections = { count: 1, use: <T>(work: (of: pg.Client) => Promise<T>) => work(client) };
    return { relations, compared: await compareWithCensus(census, verification, relations, connections) };
  } finally {
    await client.query('ROLLBACK');
  }
}
