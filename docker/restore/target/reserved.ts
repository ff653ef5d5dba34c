import { log } from '../../log.ts';
import { identifier, nameOf } from '../../postgres/names/quoting.ts';
import type { ArchiveObject } from '../stored-dump/table-of-contents.ts';
import type { TargetDatabase } from './database.ts';
import type { TargetObjects } from './objects.ts';

/** What the target has already. */
type Existing = Pick<TargetObjects, 'extensions' | 'schemas' | 'wrappers'>;

/**
 * What only a superuser may create, in pg_dump's words. Without their access method, tables are restored all the same.
 */
const RESERVED: ReadonlySet<string> = new Set([
  ...['EVENT TRIGGER', 'FOREIGN DATA WRAPPER', 'PUBLICATION TABLES IN SCHEMA'],
  ...['OPERATOR CLASS', 'OPERATOR FAMILY', 'TEXT SEARCH PARSER', 'TEXT SEARCH TEMPLATE'],
]);

const NAME = '(?:"(?:[^"]|"")*"|[^\\s;"]+)';
const OF_ALL_TABLES = new RegExp(`^CREATE PUBLICATION ${NAME} FOR ALL `);
const IN_SCHEMA = new RegExp(`^CREATE EXTENSION IF NOT EXISTS ${NAME} WITH SCHEMA (${NAME});`);
const LITERAL = "'(?:[^']|'')*'";
const OF_WRAPPER = new RegExp(
  `^CREATE SERVER ${NAME}(?: TYPE ${LITERAL})?(?: VERSION ${LITERAL})? FOREIGN DATA WRAPPER (${NAME})`,
);

/** First major in which a role that is no superuser may be allowed to create subscriptions. */
const SUBSCRIPTIONS_GRANTED_SINCE = 16;

function isReserved({ kind, definition }: ArchiveObject, major: number): boolean {
  return (
    RESERVED.has(kind) ||
    (kind === 'PUBLICATION' && OF_ALL_TABLES.test(definition)) ||
    (kind === 'SUBSCRIPTION' && major < SUBSCRIPTIONS_GRANTED_SINCE)
  );
}

function named(objects: readonly ArchiveObject[]): string {
  return objects.map((object) => `${object.kind.toLowerCase()} ${nameOf(object)}`).join(', ');
}

const RESERVED_TO = 'only a superuser (on RDS, a member of rds_superuser) may create';

/**
 * Warns of what the server will refuse whoever asks, or to this user. It is no reason to refuse the restore: the rows
 * that do not depend on it are restored, and a database from RDS has extensions that exist nowhere else.
 */
export function warnOfRefusals(
  objects: readonly ArchiveObject[],
  before: Existing,
  { user, major, isAdministrator }: TargetDatabase,
  intoNonEmpty: boolean,
): void {
  const { installed, available } = before.extensions;
  const missing = objects.filter(({ kind, name }) => kind === 'EXTENSION' && !installed.has(name));
  const offered = 'value' in available ? available.value : undefined;
  const absent = offered === undefined ? [] : missing.filter(({ name }) => !offered.has(name));
  if (absent.length > 0) {
    log(
      `Warning: the server does not have ${named(absent)}. What depends on it will be refused: install it there, or ` +
        'restore into a server that has it.',
    );
  }
  warnOfWrappers(objects, before, user);
  if (isAdministrator) {
    return;
  }
  const untrusted = missing.filter(({ name }) => offered?.get(name) === false);
  if (untrusted.length > 0) {
    log(
      `Warning: the dump has extensions that ${RESERVED_TO}, and the user "${user}" is none: ${named(untrusted)}. They and ` +
        'what depends on them will be refused, unless RDS delegates them to this user (rds_extension). To have them, first ' +
        `have such a user run, in the database, ${creationOf(untrusted, before, intoNonEmpty)}`,
    );
  }
  const reserved = objects.filter((object) => isReserved(object, major));
  if (reserved.length > 0) {
    log(
      `Warning: the dump has what ${RESERVED_TO}, and the user "${user}" is none: ${named(reserved)} will be refused. ` +
        'To have it, restore as such a user.',
    );
  }
}

/** SQL, quoted anew: an administrator runs it, and somebody else may have written the statements of the archive. */
function creationOf(extensions: readonly ArchiveObject[], { schemas }: Existing, intoNonEmpty: boolean): string {
  const places = extensions.flatMap(({ definition }) => schemaOf(definition) ?? []);
  const exists = (name: string) => name.startsWith('pg_') || schemas.some((schema) => schema.name === name);
  const added = [...new Set(places)].filter((name) => !exists(name));
  const statements = [
    ...added.map((name) => `CREATE SCHEMA IF NOT EXISTS ${identifier(name)};`),
    ...extensions.map(({ name, definition }) => {
      const schema = schemaOf(definition);
      const place = schema === undefined ? '' : ` WITH SCHEMA ${identifier(schema)}`;
      return `CREATE EXTENSION IF NOT EXISTS ${identifier(name)}${place};`;
    }),
  ];
  // Only that of `public` is no content of a database.
  const isContent = !intoNonEmpty && added.some((name) => name !== 'public');
  return `${statements.join(' ')}${isContent ? ' and restore with --into-non-empty, since the database then has a schema.' : ''}`;
}

/** Of wrappers that are there already, as an administrator creates them with an extension. */
function warnOfWrappers(objects: readonly ArchiveObject[], { wrappers }: Existing, user: string): void {
  const closed = new Set(wrappers.filter(({ mayUse }) => !mayUse).map(({ name }) => name));
  const refused = objects.flatMap((server) => {
    const wrapper = nameIn(OF_WRAPPER, server.definition);
    return wrapper !== undefined && closed.has(wrapper) ? [{ server, wrapper }] : [];
  });
  if (refused.length > 0) {
    const names = [...new Set(refused.map(({ wrapper }) => wrapper))];
    const grants = names.map(
      (name) => `GRANT USAGE ON FOREIGN DATA WRAPPER ${identifier(name)} TO ${identifier(user)};`,
    );
    log(
      `Warning: the user "${user}" may not use foreign-data wrappers that the dump needs: ` +
        `${named(refused.map(({ server }) => server))} and what depends on it will be refused. To have it, first have a ` +
        `superuser (on RDS, the master user) run, in the database, ${grants.join(' ')}`,
    );
  }
}

/** The schema in a statement that creates an extension, not quoted. */
function schemaOf(definition: string): string | undefined {
  return nameIn(IN_SCHEMA, definition);
}

/** The name that the pattern finds, not quoted. */
function nameIn(pattern: RegExp, definition: string): string | undefined {
  const name = pattern.exec(definition)?.[1];
  return name?.startsWith('"') === true ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** A dump names types and functions of an extension by its schema. Whether it does so is known to the server only. */
export function warnOfOtherSchemas(objects: readonly ArchiveObject[], { extensions: { installed } }: Existing): void {
  for (const { kind, name, definition } of objects) {
    const there = kind === 'EXTENSION' ? installed.get(name) : undefined;
    const schema = schemaOf(definition);
    if (there !== undefined && schema !== undefined && schema !== there) {
      log(
        `Warning: the extension ${identifier(name)} is in the schema ${identifier(there)}, and the dump has it in ` +
          `${identifier(schema)}. Tables and functions that use it are refused. Restore into a database without it, or run ` +
          `ALTER EXTENSION ${identifier(name)} SET SCHEMA ${identifier(schema)};`,
      );
    }
  }
}
