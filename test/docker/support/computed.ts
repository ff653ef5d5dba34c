import { buffer } from 'node:stream/consumers';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { hashed } from './hashed.ts';

/** The session that docs/reference.md describes, for whoever wants to compute a hash. */
export const SESSION = [
  "SET DateStyle = 'ISO'",
  "SET IntervalStyle = 'postgres'",
  'SET extra_float_digits = 3',
  "SET TimeZone = 'UTC'",
  "SET bytea_output = 'escape'",
  "SET client_encoding = 'UTF8'",
  "SET search_path = ''",
].join(';');

/** Rows and hash of a table, from its text only. */
export async function computed(
  client: pg.Client,
  source: string,
): Promise<{ provenRows: number; contentHash: string }> {
  const text = await buffer(client.query(copyTo(`COPY ${source} TO STDOUT`)));
  const lines = text.toString('latin1').split('\n').slice(0, -1);
  return { provenRows: lines.length, contentHash: hashed(lines.map((line) => Buffer.from(line, 'latin1'))).hash };
}
