import type { Client } from 'pg';
import { z } from 'zod';
import { majorOf, queryRow } from '../connection/query.ts';
import { parameterGrants } from './parameter-grants.ts';
import { allRoles, type Role } from './role-needs.ts';

/** What a server has beside its databases. */
export interface Globals {
  /** As the server reports it. */
  readonly version: string;
  readonly major: number;
  /** The role that the server was initialized with. */
  readonly firstRole: string;
  /** All but predefined ones, without passwords. */
  readonly roles: readonly Role[];
}

const SERVER = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    pg_get_userbyid(10) AS "firstRole"`;

/** Connection and server errors pass through. */
export async function inspectGlobals(client: Client): Promise<Globals> {
  const schema = z.object({ version: z.string(), number: z.int(), firstRole: z.string() });
  const { number, ...server } = await queryRow(client, SERVER, schema);
  const grants = await parameterGrants(client);
  const roles = await allRoles(client);
  return {
    ...server,
    major: majorOf(number),
    roles: roles.map((role) => ({ ...role, parameters: grants.get(role.name) ?? [] })),
  };
}
