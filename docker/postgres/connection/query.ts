import type { Client, QueryConfig } from 'pg';
import { z } from 'zod';
import { BadAnswer } from './bad-answer.ts';

/** A column of the type `bigint`, which pg returns as text. */
export const bigint = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .transform(Number);

/**
 * Runs a query. Connection and server errors pass through.
 *
 * @throws {BadAnswer} if the columns of a row are not as expected
 */
export async function queryRows<T>(
  client: Client,
  query: string | QueryConfig,
  row: z.ZodType<T>,
): Promise<readonly T[]> {
  const { rows } = await client.query<Record<string, unknown>>(query);
  const { data, error } = z.array(row).safeParse(rows);
  if (error !== undefined) {
    throw new BadAnswer('it answers a query with columns of other types than were asked for', { cause: error });
  }
  return data;
}

/**
 * Runs a query that always returns exactly one row. Connection and server errors pass through.
 *
 * @throws {BadAnswer} if there is none, or its columns are not as expected
 */
export async function queryRow<T>(client: Client, query: string, row: z.ZodType<T>): Promise<T> {
  const [first] = await queryRows(client, query, row);
  if (first === undefined) {
    throw new BadAnswer('it returns no row for a query that always has one');
  }
  return first;
}

/** The major version in a `server_version_num`: 16 for 160004. */
export function majorOf(versionNumber: number): number {
  return Math.trunc(versionNumber / 10_000);
}
