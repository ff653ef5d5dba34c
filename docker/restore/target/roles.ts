import type { Client } from 'pg';
import { z } from 'zod';
import { queryRow, queryRows } from '../../postgres/connection/query.ts';

/** The roles of the server that a restore goes to. */
export interface TargetRoles {
  /** Their names, not quoted. */
  readonly roles: ReadonlySet<string>;
  /** Whether this user may create others. */
  readonly mayCreateRoles: boolean;
}

/** Connection and server errors pass through. */
export async function targetRoles(client: Client): Promise<TargetRoles> {
  const rows = await queryRows(client, 'SELECT rolname AS name FROM pg_roles', z.object({ name: z.string() }));
  const { may } = await queryRow(
    client,
    'SELECT rolsuper OR rolcreaterole AS may FROM pg_roles WHERE rolname = current_user',
    z.object({ may: z.boolean() }),
  );
  return { roles: new Set(rows.map(({ name }) => name)), mayCreateRoles: may };
}
