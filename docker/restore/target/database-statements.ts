import { assignment } from '../../postgres/assignment.ts';
import { identifier, literal } from '../../postgres/names/quoting.ts';
import type { DatabaseNeeds } from '../../postgres/needs/database-needs.ts';
import { securityLabel } from '../../postgres/needs/security-label.ts';

/** What PUBLIC may do in a database whose grants nobody has changed. */
const PUBLIC_BY_DEFAULT: readonly string[] = ['CONNECT', 'TEMPORARY'];

function settings({ settings }: DatabaseNeeds, database: string): readonly string[] {
  return settings.map(({ role, ...setting }) => {
    const of = role === null ? `DATABASE ${database}` : `ROLE ${identifier(role)} IN DATABASE ${database}`;
    return `ALTER ${of} SET ${assignment(setting)};`;
  });
}

function grants({ grants, owner }: DatabaseNeeds, database: string): readonly string[] {
  const given = grants ?? PUBLIC_BY_DEFAULT.map((privilege) => ({ grantee: null, privilege, grantable: false }));
  const ofPublic = given.filter(({ grantee }) => grantee === null).map(({ privilege }) => privilege);
  return [
    ...PUBLIC_BY_DEFAULT.filter((privilege) => !ofPublic.includes(privilege)).map(
      (privilege) => `REVOKE ${privilege} ON DATABASE ${database} FROM PUBLIC;`,
    ),
    ...given
      .filter(({ grantee }) => grantee !== owner)
      .map(
        ({ grantee, privilege, grantable }) =>
          `GRANT ${privilege} ON DATABASE ${database} TO ${grantee === null ? 'PUBLIC' : identifier(grantee)}` +
          `${grantable ? ' WITH GRANT OPTION' : ''};`,
      ),
  ];
}

/**
 * The statements that give a database its settings, grants, comment, connection limit and security labels; those for
 * what PUBLIC has by default are among them, since a database may have lost it. The owner, whose rights are no grants,
 * comes last, since the others are for who owns it before. A value that the manifest does not have, because it may be
 * secret, is `…`.
 */
export function databaseStatements(needs: DatabaseNeeds, name: string): readonly string[] {
  const database = identifier(name);
  const { comment, connectionLimit, securityLabels, isTemplate, owner } = needs;
  return [
    ...settings(needs, database),
    ...grants(needs, database),
    ...(comment === null ? [] : [`COMMENT ON DATABASE ${database} IS ${literal(comment)};`]),
    ...(connectionLimit === -1 ? [] : [`ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit};`]),
    ...securityLabels.map((label) => securityLabel(`DATABASE ${database}`, label)),
    ...(isTemplate ? [`ALTER DATABASE ${database} IS_TEMPLATE true;`] : []),
    `ALTER DATABASE ${database} OWNER TO ${identifier(owner)};`,
  ];
}
