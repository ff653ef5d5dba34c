import { Failure } from '../../failure.ts';
import type { ConnectionSettings } from '../../postgres/connection/connection-settings.ts';
import { identifier } from '../../postgres/names/quoting.ts';
import type { TargetDatabase } from './database.ts';
import type { MissingGrants } from './missing-grants.ts';

/** How to turn `default_transaction_read_only` off, by where it is set. */
function writable(source: string, { user, database }: ConnectionSettings): string {
  const [of, name] = [identifier(database), identifier(user)];
  const statements: Readonly<Record<string, string>> = {
    database: `ALTER DATABASE ${of} RESET default_transaction_read_only;`,
    user: `ALTER ROLE ${name} RESET default_transaction_read_only;`,
    global: 'ALTER ROLE ALL RESET default_transaction_read_only;',
    'database user': `ALTER ROLE ${name} IN DATABASE ${of} RESET default_transaction_read_only;`,
  };
  const statement = statements[source];
  return statement === undefined
    ? "turn it off in the server's configuration, or in its parameter group"
    : `if that is not on purpose, run ${statement}`;
}

/** What makes every statement of a restore fail. */
function readOnly({ isStandby, readOnlyBy }: TargetDatabase, target: ConnectionSettings): readonly string[] {
  const { host, port, database } = target;
  if (isStandby) {
    return [
      `The server ${host} port ${port} is a standby, and cannot be written to: restore into the primary (with Aurora, by ` +
        "the cluster's writer endpoint).",
    ];
  }
  return readOnlyBy === undefined
    ? []
    : [
        `The database "${database}" is read-only for this user, because default_transaction_read_only is on (set for: ` +
          `${readOnlyBy}): ${writable(readOnlyBy, target)}.`,
      ];
}

function lacking(
  missing: MissingGrants,
  { user, closedTablespace }: TargetDatabase,
  { database }: ConnectionSettings,
): readonly string[] {
  const grants = [
    ...(closedTablespace === undefined
      ? []
      : [`GRANT CREATE ON TABLESPACE ${identifier(closedTablespace)} TO ${identifier(user)};`]),
    ...(missing.database ? [`GRANT CREATE ON DATABASE ${identifier(database)} TO ${identifier(user)};`] : []),
    ...missing.schemas.map((name) => `GRANT USAGE, CREATE ON SCHEMA ${identifier(name)} TO ${identifier(user)};`),
  ];
  const schemas = missing.absent.map((name) => `CREATE SCHEMA ${identifier(name)} AUTHORIZATION ${identifier(user)};`);
  const problems: string[] = [];
  if (grants.length > 0) {
    problems.push(
      `The user "${user}" may not create all that the dump contains. In the database "${database}", as its owner or an ` +
        `administrator (on RDS, the master user), run ${grants.join(' ')}`,
    );
  }
  if (schemas.length > 0) {
    problems.push(
      `The database "${database}" lacks a schema that the dump uses and does not create: run ${schemas.join(' ')}`,
    );
  }
  return problems;
}

function notEmpty({ contents }: TargetDatabase, { database }: ConnectionSettings): readonly string[] {
  return contents.length === 0
    ? []
    : [
        `The database "${database}" is not empty: it contains, for example, ${contents.join(', ')}. ` +
          'Restore into a new one (CREATE DATABASE … TEMPLATE template0), or use --into-non-empty: existing tables then ' +
          'keep their rows, and count as failed.',
      ];
}

/**
 * Refuses a database that cannot be written to, in which the user may not create what is needed, or that is not empty,
 * because the result would be a mixture.
 *
 * @param further problems, in sentences
 * @throws {Failure} `refused`, with all problems
 */
export function checkTarget(
  database: TargetDatabase,
  missing: MissingGrants,
  further: readonly string[],
  target: ConnectionSettings,
  intoNonEmpty: boolean,
): void {
  const problems = [
    ...readOnly(database, target),
    ...lacking(missing, database, target),
    ...further,
    ...(intoNonEmpty ? [] : notEmpty(database, target)),
  ];
  if (problems.length > 0) {
    throw new Failure('refused', problems.join(' '));
  }
}
