import { log } from '../log.ts';
import { readSecret } from '../plan/read-secret.ts';
import { parseConnectionSettings } from '../plan/secret.ts';
import { chooseRestoreClient, clientWarning, findClients, type PostgresClient } from '../postgres/clients.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { type Answer, ifAnswered } from '../postgres/connection/if-answered.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/connection/tls/tls.ts';
import { databaseNeeds, type DatabaseNeeds } from '../postgres/needs/database-needs.ts';
import type { Role } from '../postgres/needs/role-needs.ts';
import { type MissingRoles, missingRoles } from '../postgres/needs/role-statements.ts';
import { poolerFailure } from '../postgres/pooler.ts';
import type { RunContext } from '../run-context.ts';
import type { RestoreOptions } from './options.ts';
import type { ArchiveRestore } from './restore-archive.ts';
import { usedInArchive } from './roles/named-in-archive.ts';
import { essentialProblems, noteOwners, reportMissingRoles } from './roles/report-roles.ts';
import type { StoredDump } from './stored-dump/stored-dump.ts';
import { type ArchiveObject, objectsOf, type TableOfContents } from './stored-dump/table-of-contents.ts';
import { divideConnections } from './target/connection-limits.ts';
import { databaseStatements } from './target/database-statements.ts';
import { inspectTarget, type TargetDatabase } from './target/database.ts';
import { defaultGrantees, warnOfDefaultPrivileges } from './target/default-privileges.ts';
import { checkConversion, checkEncoding, checkPartitions, noteLocale } from './target/encoding.ts';
import { missingGrants } from './target/missing-grants.ts';
import { moneySettings } from './target/money.ts';
import { type TargetObjects, targetObjects } from './target/objects.ts';
import { checkTarget } from './target/problems.ts';
import { warnOfOtherSchemas, warnOfRefusals } from './target/reserved.ts';
import { targetRoles, type TargetRoles } from './target/roles.ts';
import { settingsToGive } from './target/session-settings.ts';

/** A restore that passed all checks, and lacks only the archive. */
export interface RestoreSetup extends Omit<ArchiveRestore, 'archive' | 'census' | 'verification' | 'isFiltered'> {
  /** As the target reports it. */
  readonly serverVersion: string;
  /** Roles to create, if they are to be created. */
  readonly missingRoles?: MissingRoles;
  /**
   * What gives the database the owner, the settings, the grants and the like that the dumped one had and it has not.
   */
  readonly databaseStatements: readonly string[];
}

/**
 * Runs all checks that are possible before the download.
 *
 * @throws {Failure} with the reason
 */
export async function prepare(
  {
    target: given,
    intoNonEmpty,
    acceptEncoding,
    createRoles,
    jobs: wanted,
  }: Pick<RestoreOptions, 'target' | 'intoNonEmpty' | 'acceptEncoding' | 'createRoles' | 'jobs'>,
  dump: StoredDump,
  contents: TableOfContents,
  folder: string,
  { searchPath, rdsRoots, signal }: RunContext,
): Promise<RestoreSetup> {
  const target = 'secretArn' in given ? parseConnectionSettings(await readSecret(given, signal)) : given;
  const policy = tlsPolicy(target, rdsRoots);
  const found = await examineTarget(target, policy, { ...dump, contents }, acceptEncoding, signal);
  const { database, before, objects, existing } = found;
  checkPartitions({ ...dump, encoding: contents.encoding }, database, target, acceptEncoding);
  const missing = missingRoles(dump.roles ?? [], { ...existing, major: database.major, user: database.user });
  reportMissingRoles(missing, createRoles);
  noteOwners(dump.roles ?? [], database.user);
  warnOfDefaultPrivileges(found.defaultGrantees, database);
  warnOfOtherSchemas(objects, before);
  warnOfRefusals(objects, before, database, intoNonEmpty);
  const problems = [
    ...problemsWithRoles(usedInArchive(missing.roles, objects), existing, database.user, createRoles),
    ...(intoNonEmpty ? problemsWithLargeObjects(contents, before, target) : []),
  ];
  checkTarget(database, missingGrants(objects, before, database), problems, target, intoNonEmpty);
  const client = chooseRestoreClient(await findClients(searchPath), dump.clientMajor);
  log(
    `Database "${target.database}" on ${target.host} port ${target.port}: PostgreSQL ${database.version}; ` +
      `sslmode ${policy.mode}; pg_restore ${client.version}`,
  );
  const warning = clientWarning(client);
  if (warning !== undefined) {
    log(`Warning: ${warning}.`);
  }
  warnOfOlderServer(database, dump, client);
  noteLocale(dump.locale, database.locale);
  const settings = settingsToGive(database.unsuitable, found.isPooled);
  return {
    tool: { target, policy, client, folder, searchPath, settings },
    serverVersion: database.version,
    contents,
    objects,
    before,
    wasEmpty: database.contents.length === 0,
    serverMajor: database.major,
    databaseBytes: dump.databaseBytes,
    databaseStatements: missingStatements(dump.databaseNeeds, found.needs, target.database),
    ...(createRoles ? { missingRoles: missing } : {}),
    ...connectionsFor(wanted, database),
  };
}

/** What the target answered. */
interface Examined {
  readonly database: TargetDatabase;
  /** Whether a connection pooler is in between. */
  readonly isPooled: boolean;
  readonly objects: readonly ArchiveObject[];
  readonly before: TargetObjects;
  readonly existing: TargetRoles;
  readonly needs: Answer<DatabaseNeeds>;
  readonly defaultGrantees: Answer<readonly (string | null)[]>;
}

/**
 * Asks the target for everything that the checks need, over one connection.
 *
 * @throws {Failure} if it is a pooler, or its encoding or locales do not suit the dump
 */
async function examineTarget(
  target: ConnectionSettings,
  policy: TlsPolicy,
  { contents, moneyLocale }: Pick<StoredDump, 'moneyLocale'> & { readonly contents: TableOfContents },
  acceptEncoding: boolean,
  signal: AbortSignal,
): Promise<Examined> {
  return withConnection(target, policy, signal, async (connection, route) => {
    const refusal = poolerFailure(target, route);
    if (refusal !== undefined) {
      throw refusal;
    }
    const database = await inspectTarget(connection);
    const { encoding } = database;
    await checkConversion(contents.encoding, encoding, connection);
    checkEncoding(contents.encoding, encoding, target, acceptEncoding);
    const money = await moneySettings(connection, moneyLocale, acceptEncoding);
    return {
      database: { ...database, unsuitable: [...database.unsuitable, ...money] },
      isPooled: route.isPooled,
      objects: await objectsOf(contents, encoding, connection),
      before: await targetObjects(connection),
      existing: await targetRoles(connection),
      needs: await ifAnswered(connection, 'settings and grants', databaseNeeds),
      defaultGrantees: await ifAnswered(connection, 'default privileges', defaultGrantees),
    };
  });
}

function missingStatements(
  needed: DatabaseNeeds | null,
  found: Answer<DatabaseNeeds>,
  name: string,
): readonly string[] {
  const present = 'value' in found ? databaseStatements(found.value, name) : [];
  return needed === null ? [] : databaseStatements(needed, name).filter((statement) => !present.includes(statement));
}

/** pg_restore writes into existing large objects. Which the dump has is not read, since there may be millions. */
function problemsWithLargeObjects(
  contents: TableOfContents,
  before: TargetObjects,
  { database }: ConnectionSettings,
): readonly string[] {
  return contents.hasLargeObjects && before.hasLargeObjects
    ? [
        `The database "${database}" and the dump both have large objects, and a restore would overwrite those of the same ` +
          'number: restore into a database that has none.',
      ]
    : [];
}

function problemsWithRoles(
  roles: readonly Role[],
  { mayCreateRoles }: TargetRoles,
  user: string,
  createRoles: boolean,
): readonly string[] {
  if (!createRoles) {
    return essentialProblems(roles);
  }
  return roles.length === 0 || mayCreateRoles
    ? []
    : [
        `The user "${user}" may not create roles, as --create-roles asks for: restore as a user with CREATEROLE (on RDS, ` +
          'the master user), or leave the option out to see the statements.',
      ];
}

function connectionsFor(wanted: number, { limits }: TargetDatabase): Pick<RestoreSetup, 'jobs' | 'progress'> {
  if ('unseen' in limits) {
    log(`Note: not checked: ${limits.unseen}`);
    return { jobs: wanted, progress: true };
  }
  const { jobs, progress, because } = divideConnections(wanted, limits.value);
  const effects = [
    ...(jobs < wanted ? [`uses ${jobs} ${jobs === 1 ? 'job' : 'jobs'} instead of ${wanted}`] : []),
    ...(progress ? [] : ['shows no progress']),
  ];
  if (because !== undefined && effects.length > 0) {
    log(
      `Note: ${because.of} may have ${because.limit} connections, of which ${because.used} are in use, so this restore ` +
        `${effects.join(' and ')}.`,
    );
  }
  return { jobs, progress };
}

/** First major in which pg_restore sets `transaction_timeout`, and the server supports it. */
const TRANSACTION_TIMEOUT_SINCE = 17;

/** Warns about statements that an older server will refuse. */
function warnOfOlderServer({ major }: TargetDatabase, { serverVersion }: StoredDump, client: PostgresClient): void {
  if (serverVersion !== null && Number.parseInt(serverVersion) > major) {
    log(
      `Note: the dump is of PostgreSQL ${serverVersion}, and this server is older. It refuses statements that it does ` +
        'not support, and the restore then fails.',
    );
  }
  if (major < TRANSACTION_TIMEOUT_SINCE && client.major >= TRANSACTION_TIMEOUT_SINCE) {
    log(
      `Note: pg_restore ${client.major} sets transaction_timeout, which PostgreSQL ${major} does not support. ` +
        'That error is harmless and ignored; every other error counts.',
    );
  }
}
