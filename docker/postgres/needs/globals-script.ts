import { assignment } from '../assignment.ts';
import { identifier } from '../names/quoting.ts';
import type { Globals } from './globals.ts';
import type { Role } from './role-needs.ts';
import { missingRoles } from './role-statements.ts';

/**
 * Roles of RDS and Aurora themselves, which every such server has. `rds_pgaudit` is made by users.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
 */
const OF_RDS = /^(rds_(?!pgaudit$).*|rdsadmin|rdsrepladmin|rdstopmgr|rdsproxyadmin|rdswriteforwarduser)$/s;

/** What the script says of a role that it does not set. */
const commented = (role: Role): readonly string[] => [
  ...(role.login ? [`ALTER ROLE ${identifier(role.name)} LOGIN PASSWORD '…';`] : []),
  ...role.settings
    .filter(({ value }) => value === null)
    .map((setting) => `ALTER ROLE ${identifier(role.name)} SET ${assignment(setting)};`),
];

/** Memberships in roles of RDS, which other servers do not have. */
const membershipsOfRds = (role: Role): readonly string[] =>
  role.memberOf
    .filter(({ role: group }) => OF_RDS.test(group))
    .map(
      (each) => `GRANT ${identifier(each.role)} TO ${identifier(role.name)}${each.admin ? ' WITH ADMIN OPTION' : ''};`,
    );

function comment(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `-- ${heading}`, ...lines.map((line) => `-- ${line}`)];
}

/**
 * SQL that makes the roles and memberships of a server on another one, for `psql`. Roles are made without LOGIN and
 * password, as by a restore. Those of RDS, and the one that the server was initialized with, are left out.
 */
export function globalsScript({ version, major, firstRole, roles }: Globals): string {
  const isMade = ({ name }: Role) => name !== firstRole && !OF_RDS.test(name);
  const made = roles.filter(isMade);
  const leftOut = roles.filter((role) => !isMade(role)).map(({ name }) => identifier(name));
  const server = { major, roles: new Set([firstRole, ...predefinedOf(made)]), user: firstRole };
  const { statements } = missingRoles(made.map(withoutRds), server);
  return [
    `-- Roles and memberships of a server with PostgreSQL ${version.replace(/\s+/g, ' ')}, without passwords.`,
    '-- Run it by psql, as a superuser or a role with CREATEROLE. That a role exists is an error that stops nothing.',
    `-- Left out: ${leftOut.join(', ')}.`,
    'SET client_encoding TO UTF8;',
    'SET standard_conforming_strings TO on;',
    ...statements.map(({ sql }) => sql),
    ...comment('Only on RDS:', made.flatMap(membershipsOfRds)),
    ...comment('Not in this file: passwords, and settings that may be secret.', made.flatMap(commented)),
    '',
  ].join('\n');
}

function withoutRds(role: Role): Role {
  return { ...role, memberOf: role.memberOf.filter(({ role: group }) => !OF_RDS.test(group)) };
}

/** Names of predefined roles that these are members of. */
function predefinedOf(roles: readonly Role[]): readonly string[] {
  return roles.flatMap(({ memberOf }) => memberOf.map(({ role }) => role).filter((name) => name.startsWith('pg_')));
}
