import type { DatabaseNeeds } from '../../postgres/needs/database-needs.ts';
import { identifier, literal } from '../../postgres/quoting.ts';

/** What PUBLIC may do in a database whose grants nobody has changed. */
const PUBLIC_BY_DEFAULT: readonly string[] = ['CONNECT', 'TEMPORARY'];

type Setting = DatabaseNeeds['settings'][number];

/**
 * The server keeps the values of these as lists of quoted names, all others as texts.
 * Source: GUC_LIST_QUOTE in PostgreSQL's src/backend/utils/misc/guc_tables.c
 */
const LISTS: readonly string[] = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
];

function valueOf({ name, value }: Setting): string {
  if (value === null) {
    return '…';
  }
  // A name may not be empty, but a text may.
  return LISTS.includes(name.toLowerCase()) ? value.replaceAll(/(?<!")""(?!")/g, "''") : literal(value);
}

function settings({ settings }: DatabaseNeeds, database: string): readonly string[] {
  return settings.map((setting) => {
    const { role } = setting;
    const of = role === null ? `DATABASE ${database}` : `ROLE ${identifier(role)} IN DATABASE ${database}`;
    const name = setting.name.split('.').map(identifier).join('.');
    return `ALTER ${of} SET ${name} TO ${valueOf(setting)};`;
  });
}

function grants({ grants, owner }: DatabaseNeeds, database: string): readonly string[] {
  if (grants === null) {
    return [];
  }
  const ofPublic = grants.filter(({ grantee }) => grantee === null).map(({ privilege }) => privilege);
  return [
    ...PUBLIC_BY_DEFAULT.filter((privilege) => !ofPublic.includes(privilege)).map(
      (privilege) => `REVOKE ${privilege} ON DATABASE ${database} FROM PUBLIC;`,
    ),
    ...grants
      .filter(
        ({ grantee, privilege }) => grantee !== owner && !(grantee === null && PUBLIC_BY_DEFAULT.includes(privilege)),
      )
      .map(
        ({ grantee, privilege, grantable }) =>
          `GRANT ${privilege} ON DATABASE ${database} TO ${grantee === null ? 'PUBLIC' : identifier(grantee)}` +
          `${grantable ? ' WITH GRANT OPTION' : ''};`,
      ),
  ];
}

/**
 * The statements that give a database its settings, grants, comment and connection limit. A value that the manifest does
 * not have, because it may be secret, is `…`.
 */
export function databaseStatements(needs: DatabaseNeeds, name: string): readonly string[] {
  const database = identifier(name);
  const { comment, connectionLimit } = needs;
  return [
    ...settings(needs, database),
    ...grants(needs, database),
    ...(comment === null ? [] : [`COMMENT ON DATABASE ${database} IS ${literal(comment)};`]),
    ...(connectionLimit === -1 ? [] : [`ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit};`]),
  ];
}
