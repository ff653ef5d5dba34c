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

/** Extensions and other objects of the dump that the server would refuse to this user, in sentences. */
export function reservedProblems(
  objects: readonly ArchiveObject[],
  { installed, available }: TargetExtensions,
  { user, major, isAdministrator }: TargetDatabase,
): readonly string[] {
  const extensions = objects.filter(({ kind, name }) => kind === 'EXTENSION' && !installed.has(name));
  const offered = 'value' in available ? available.value : undefined;
  const absent = offered === undefined ? [] : extensions.filter(({ name }) => !offered.has(name));
  const untrusted = isAdministrator ? [] : extensions.filter(({ name }) => offered?.get(name) === false);
  const others = isAdministrator ? [] : objects.filter((object) => isReserved(object, major));
  const reservedTo = 'only a superuser (on RDS, a member of rds_superuser) may create';
  return [
    ...(absent.length === 0
      ? []
      : [
          `The server does not have what the dump needs: ${named(absent)}. Install it there, restore into a server that ` +
            'has it, or restore by hand: pg_restore goes on without it.',
        ]),
    ...(untrusted.length === 0
      ? []
      : [
          `The dump has extensions that ${reservedTo}: have such a user run, in the database, ` +
            untrusted.map(({ definition }) => definition.trim()).join(' '),
        ]),
    ...(others.length === 0
      ? []
      : [
          `The dump has what ${reservedTo}, and the user "${user}" is none: ${named(others)}. Restore as such a user, or ` +
            'by hand: pg_restore goes on without it.',
        ]),
  ];
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
