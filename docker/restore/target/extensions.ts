import type { Client } from 'pg';
import { z } from 'zod';
import { type Answer, ifAnswered } from '../../postgres/connection/if-answered.ts';
import { queryRows } from '../../postgres/connection/query.ts';

/** The extensions of the server that a restore goes to. Names are not quoted. */
export interface TargetExtensions {
  /** Those in the database, with their schemas. */
  readonly installed: ReadonlyMap<string, string>;
  /** Those that can be created, and whether everybody may create them who has CREATE on the database. */
  readonly available: Answer<ReadonlyMap<string, boolean>>;
}

/** Connection and server errors pass through. */
export async function targetExtensions(client: Client): Promise<TargetExtensions> {
  const installed = await queryRows(
    client,
    'SELECT extname AS name, nspname AS schema FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace',
    z.object({ name: z.string(), schema: z.string() }),
  );
  return {
    installed: new Map(installed.map(({ name, schema }) => [name, schema])),
    // Servers before 13 know no trusted ones, and do not answer.
    available: await ifAnswered(client, 'available extensions', availableExtensions),
  };
}

async function availableExtensions(client: Client): Promise<ReadonlyMap<string, boolean>> {
  const rows = await queryRows(
    client,
    `SELECT e.name, NOT v.superuser OR v.trusted AS "isOpen" FROM pg_available_extensions e
     JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version`,
    z.object({ name: z.string(), isOpen: z.boolean() }),
  );
  return new Map(rows.map(({ name, isOpen }) => [name, isOpen]));
}
