import { log } from '../../log.ts';
import { assignment } from '../../postgres/assignment.ts';
import { identifier } from '../../postgres/names/quoting.ts';
import type { Role } from '../../postgres/needs/role-needs.ts';
import type { MissingRoles } from '../../postgres/needs/role-statements.ts';

/** What names a role, and what a restore cannot do without. */
const ESSENTIAL: readonly string[] = ['policies', 'user mappings', 'rows'];

function described({ name, uses }: Role): string {
  return uses.length === 0 ? `${identifier(name)} (memberships)` : `${identifier(name)} (${uses.join(', ')})`;
}

/** Names the roles that the server lacks, and how to make them. */
export function reportMissingRoles({ roles, statements, unsupported }: MissingRoles, createRoles: boolean): void {
  if (roles.length > 0) {
    log(
      `${createRoles ? 'Note' : 'Warning'}: the server lacks roles that the dump refers to: ` +
        `${roles.map(described).join('; ')}. ` +
        (createRoles
          ? 'They are created once the dump has been checked.'
          : 'What the dump grants to them and sets for them is not restored, unless they are created first: by ' +
            '--create-roles, or by these statements.'),
    );
    for (const { sql } of createRoles ? [] : statements) {
      log(sql);
    }
  }
  const withLogin = roles.filter(({ login }) => login).map(({ name }) => identifier(name));
  if (withLogin.length > 0) {
    log(
      'Note: passwords are not part of a dump, so that roles are created without LOGIN. These had it, and need ' +
        `ALTER ROLE … LOGIN PASSWORD '…': ${withLogin.join(', ')}`,
    );
  }
  const secret = roles.flatMap(({ name, settings }) =>
    settings
      .filter(({ value }) => value === null)
      .map((each) => `ALTER ROLE ${identifier(name)} SET ${assignment(each)};`),
  );
  if (secret.length > 0) {
    log(
      `Warning: the values of these settings may be secret, and are neither in the manifest nor in the dump: ${secret.join(' ')}`,
    );
  }
  if (unsupported.length > 0) {
    log(`Warning: memberships that this server cannot have as the source has them: ${unsupported.join('; ')}`);
  }
}

/** A dump has owners as names only, and a restore sets none. */
export function noteOwners(roles: readonly Pick<Role, 'name' | 'uses'>[], user: string): void {
  const others = roles.filter(({ name, uses }) => name !== user && uses.includes('ownership'));
  if (others.length > 0) {
    log(
      `Note: all that the restore creates will belong to the user "${user}". The dumped database, or what is in it, belonged ` +
        `to ${others.map(({ name }) => identifier(name)).join(', ')}. Views, and functions with SECURITY DEFINER, have the rights ` +
        'of their owner.',
    );
  }
}

/** What is wrong if roles are missing without which the server refuses a part of the contents; empty if none is. */
export function essentialProblems(roles: readonly Role[]): readonly string[] {
  const names = roles.filter(({ uses }) => uses.some((use) => ESSENTIAL.includes(use))).map(({ name }) => name);
  return names.length === 0
    ? []
    : [
        'The dump has policies of tables, user mappings or rows that name roles which the server lacks, and the server ' +
          `would refuse them, and with a row its whole table: ${names.map((name) => identifier(name)).join(', ')}. Create these roles by the statements in the log ` +
          'above, or by --create-roles.',
      ];
}
