import { log } from '../../log.ts';
import { identifier, nameOf } from '../../postgres/quoting.ts';
import type { ArchiveObject } from '../stored-dump/table-of-contents.ts';
import type { TargetDatabase } from './database.ts';
import type { TargetExtensions } from './extensions.ts';

/** What only a superuser may create, in pg_dump's words. Without their access method, tables are restored all the same. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['EVENT TRIGGER', 'FOREIGN DATA WRAPPER', 'PUBLICATION TABLES IN SCHEMA'],
  ...['OPERATOR CLASS', 'OPERATOR FAMILY', 'TEXT SEARCH PARSER', 'TEXT SEARCH TEMPLATE'],
]);

const NAME = '(?:"(?:[^"]|"")*"|[^\\s;"]+)';
const OF_ALL_TABLES = new RegExp(`^CREATE PUBLICATION ${NAME} FOR ALL `);
const IN_SCHEMA = new RegExp(`^CREATE EXTENSION IF NOT EXISTS ${NAME} WITH SCHEMA (${NAME});`);

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

/** Extensions of the dump that this user may not create, and an administrator may: in a sentence with the SQL. */
export function untrustedExtensions(
  objects: readonly ArchiveObject[],
  extensions: TargetExtensions,
  { isAdministrator }: TargetDatabase,
): readonly string[] {
  const untrusted = isAdministrator
    ? []
    : missingFrom(objects, extensions).filter(({ name }) => offeredBy(extensions)?.get(name) === false);
  const statements = untrusted.map(({ definition }) => definition.trim()).join(' ');
  return untrusted.length === 0
    ? []
    : [`The dump has extensions that ${RESERVED_TO}: have such a user run, in the database, ${statements}`];
}

/**
 * Warns of what the server will refuse whoever asks, or to this user. It is no reason to refuse the restore: the rows that
 * do not depend on it are restored, and a database from RDS has extensions that exist nowhere else.
 */
export function warnOfRefusals(
  objects: readonly ArchiveObject[],
  extensions: TargetExtensions,
  { user, major, isAdministrator }: TargetDatabase,
): void {
  const offered = offeredBy(extensions);
  const absent = offered === undefined ? [] : missingFrom(objects, extensions).filter(({ name }) => !offered.has(name));
  if (absent.length > 0) {
    log(
      `Warning: the server does not have ${named(absent)}. What depends on it will be refused: install it there, or ` +
        'restore into a server that has it.',
    );
  }
  const reserved = isAdministrator ? [] : objects.filter((object) => isReserved(object, major));
  if (reserved.length > 0) {
    log(
      `Warning: the dump has what ${RESERVED_TO}, and the user "${user}" is none: ${named(reserved)} will be refused. ` +
        'To have it, restore as such a user.',
    );
  }
}

function missingFrom(objects: readonly ArchiveObject[], { installed }: TargetExtensions): readonly ArchiveObject[] {
  return objects.filter(({ kind, name }) => kind === 'EXTENSION' && !installed.has(name));
}

/** Whether each extension that the server offers is trusted, by name; undefined if it does not say. */
function offeredBy({ available }: TargetExtensions): ReadonlyMap<string, boolean> | undefined {
  return 'value' in available ? available.value : undefined;
}

/** A dump names types and functions of an extension by its schema. Whether it does so is known to the server only. */
export function warnOfOtherSchemas(objects: readonly ArchiveObject[], { installed }: TargetExtensions): void {
  for (const { kind, name, definition } of objects) {
    const there = kind === 'EXTENSION' ? installed.get(name) : undefined;
    const [, schema] = IN_SCHEMA.exec(definition) ?? [];
    if (there !== undefined && schema !== undefined && schema !== there && schema !== identifier(there)) {
      log(
        `Warning: the extension ${identifier(name)} is in the schema ${identifier(there)}, and the dump has it in ${schema}. ` +
          'Tables and functions that use it are refused. Restore into a database without it, or run ' +
          `ALTER EXTENSION ${identifier(name)} SET SCHEMA ${schema};`,
      );
    }
  }
}
