import type { Client } from 'pg';
import { z } from 'zod';
import { log } from '../../log.ts';
import type { Answer } from '../../postgres/connection/if-answered.ts';
import { queryRows } from '../../postgres/connection/query.ts';
import { identifier } from '../../postgres/names/quoting.ts';
import type { TargetDatabase } from './database.ts';

/** Without what these roles may do by default anyway, as PUBLIC may execute functions. */
const GRANTEES = `
  SELECT DISTINCT CASE WHEN granted.grantee <> 0 THEN pg_get_userbyid(granted.grantee) END AS name
  FROM pg_default_acl a, aclexplode(defaclacl) AS granted
  WHERE pg_get_userbyid(defaclrole) = current_user AND granted.grantee <> defaclrole
    AND NOT EXISTS (
      SELECT FROM aclexplode(acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END, defaclrole)) AS usual
      WHERE usual.grantee = granted.grantee AND usual.privilege_type = granted.privilege_type
    )
  ORDER BY 1 NULLS FIRST`;

/** Roles that the database gives access to what this user creates; null for PUBLIC. Errors pass through. */
export async function defaultGrantees(client: Client): Promise<readonly (string | null)[]> {
  const rows = await queryRows(client, GRANTEES, z.object({ name: z.string().nullable() }));
  return rows.map(({ name }) => name);
}

/** A dump has no statement against them, where the source grants nothing. */
export function warnOfDefaultPrivileges(
  grantees: Answer<readonly (string | null)[]>,
  { user }: Pick<TargetDatabase, 'user'>,
): void {
  if ('unseen' in grantees) {
    log(`Note: not checked: ${grantees.unseen}`);
  } else if (grantees.value.length > 0) {
    const names = grantees.value.map((name) => (name === null ? 'PUBLIC' : identifier(name)));
    log(
      `Warning: the default privileges of the user "${user}" in this database give these roles access to what the restore ` +
        `creates, in addition to the grants of the dump: ${names.join(', ')}. If that is not intended, revoke them first ` +
        '(ALTER DEFAULT PRIVILEGES … REVOKE …).',
    );
  }
}
