import type { Client } from 'pg';
import { z } from 'zod';
import { queryRow } from '../connection/query.ts';

/** A name in a list of them, in quotation marks or not. */
const NAMES = /\s*(?:"((?:[^"]|"")*)"|([^",]+))\s*(?:,|$)/gy;

/**
 * The schemas in which pg_dump looks for a table whose pattern has no schema: those of the search path that a session
 * of this user begins with, after the system's. Server errors pass through.
 */
export async function searchPathOf(client: Client): Promise<readonly string[]> {
  const { path, user } = await queryRow(
    client,
    "SELECT reset_val AS path, current_user::text AS user FROM pg_settings WHERE name = 'search_path'",
    z.object({ path: z.string(), user: z.string() }),
  );
  const names = [...path.matchAll(NAMES)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain.trim().toLowerCase() : quoted.replaceAll('""', '"'),
  );
  const schemas = names.map((name) => (name === '$user' ? user : name));
  return schemas.includes('pg_catalog') ? schemas : ['pg_catalog', ...schemas];
}
