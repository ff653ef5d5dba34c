import pg from 'pg';
import { assignment, parameterName } from '../assignment.ts';
import { identifier, literal } from '../names/quoting.ts';
import type { Membership, Role } from './role-needs.ts';
import { securityLabel } from './security-label.ts';

/** A statement that makes a part of a role. */
export interface RoleStatement {
  /** On one line. */
  readonly sql: string;
  readonly makes: 'role' | 'attribute' | 'membership';
  /** Name of the role, or of the member. */
  readonly role: string;
}

/** The server that the roles are made on. */
export interface RoleServer {
  readonly major: number;
  /** Names of its roles, predefined ones included. */
  readonly roles: ReadonlySet<string>;
  /** Who makes them. */
  readonly user: string;
}

/** First major in which a membership has options, and who creates a role administers it. */
const OPTIONS_SINCE = 16;

const ATTRIBUTES = [
  ['superuser', 'SUPERUSER'],
  ['createDatabase', 'CREATEDB'],
  ['createRole', 'CREATEROLE'],
  ['replication', 'REPLICATION'],
  ['bypassRowSecurity', 'BYPASSRLS'],
] as const;

/** Without LOGIN, because nobody may log in by a way that needs no password who could not before. */
function creation({ name, inherit, connectionLimit, validUntil }: Role): RoleStatement {
  const options = [
    ...(inherit ? [] : [' NOINHERIT']),
    ...(connectionLimit === -1 ? [] : [` CONNECTION LIMIT ${connectionLimit}`]),
    ...(validUntil === null ? [] : [` VALID UNTIL ${pg.escapeLiteral(validUntil)}`]),
  ];
  return { sql: `CREATE ROLE ${identifier(name)}${options.join('')};`, makes: 'role', role: name };
}

/** One for each, so that one which the server refuses costs nothing else. */
function attributes(role: Role): readonly RoleStatement[] {
  const words = ATTRIBUTES.filter(([attribute]) => role[attribute]).map(([, word]) => word);
  const settings = role.settings.filter(({ value }) => value !== null).map((setting) => `SET ${assignment(setting)}`);
  const name = identifier(role.name);
  const statements = [
    ...[...words, ...settings].map((change) => `ALTER ROLE ${name} ${change};`),
    ...role.parameters.map(
      ({ parameter, privilege, grantable }) =>
        `GRANT ${privilege} ON PARAMETER ${parameterName(parameter)} TO ${name}${grantable ? ' WITH GRANT OPTION' : ''};`,
    ),
    ...(role.comment === null ? [] : [`COMMENT ON ROLE ${name} IS ${literal(role.comment)};`]),
    ...role.securityLabels.map((label) => securityLabel(`ROLE ${name}`, label)),
  ];
  return statements.map((sql) => ({ sql, makes: 'attribute', role: role.name }));
}

/**
 * Whether the membership is exactly what a server before 16 has: the member inherits as it always does, and may SET
 * ROLE.
 */
function isPlain(member: Role, { inherit, set }: Membership): boolean {
  return (inherit === null || inherit === member.inherit) && set !== false;
}

/**
 * A role that exists may inherit by default where the dumped one does not, so that the option is given for it.
 *
 * @returns undefined if who creates the role has this anyway
 */
function membership(
  member: Role,
  { role, admin, inherit, set }: Membership,
  { major, user, roles }: RoleServer,
): RoleStatement | undefined {
  const isOwn = major >= OPTIONS_SINCE && member.name === user;
  if (isOwn && inherit === false && set === false) {
    return undefined;
  }
  const inherits = inherit ?? member.inherit;
  const asByDefault = major < OPTIONS_SINCE || (inherits === member.inherit && !roles.has(member.name));
  const grant = `GRANT ${identifier(role)} TO ${identifier(member.name)}`;
  const options = [
    ...(admin && !isOwn ? [major < OPTIONS_SINCE ? 'ADMIN OPTION' : 'ADMIN TRUE'] : []),
    ...(asByDefault ? [] : [`INHERIT ${inherits ? 'TRUE' : 'FALSE'}`]),
    ...(set === false ? ['SET FALSE'] : []),
  ];
  const sql = `${grant}${options.length === 0 ? '' : ` WITH ${options.join(', ')}`};`;
  return { sql, makes: 'membership', role: member.name };
}

/** What makes the roles that a server lacks. */
export interface MissingRoles {
  readonly roles: readonly Role[];
  /** In an order in which they can be run. */
  readonly statements: readonly RoleStatement[];
  /** Memberships that the server cannot have, for the reader. */
  readonly unsupported: readonly string[];
}

/**
 * Compares the roles that a dump refers to with those of a server. Memberships of roles that it has are left as they
 * are.
 */
export function missingRoles(needed: readonly Role[], server: RoleServer): MissingRoles {
  const roles = needed.filter(({ name }) => !server.roles.has(name));
  const made = new Set(roles.map(({ name }) => name));
  const unsupported: string[] = [];
  const memberships = needed.flatMap((member) =>
    member.memberOf
      .filter(({ role }) => made.has(member.name) || made.has(role))
      .flatMap((each) => {
        if (!made.has(each.role) && !server.roles.has(each.role)) {
          unsupported.push(`${identifier(member.name)} in ${identifier(each.role)}, which this server does not have`);
          return [];
        }
        if (server.major < OPTIONS_SINCE && !isPlain(member, each)) {
          unsupported.push(`${identifier(member.name)} in ${identifier(each.role)}, with options of PostgreSQL 16`);
          return [];
        }
        return membership(member, each, server) ?? [];
      }),
  );
  return { roles, statements: [...roles.map(creation), ...roles.flatMap(attributes), ...memberships], unsupported };
}
