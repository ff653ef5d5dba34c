import { listed, MANY } from '../listed.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { identifier, nameOf } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';
import { keyOf } from '../restore/comparison.ts';
import { checkTarget } from '../restore/target/problems.ts';
import type { ExaminedTarget } from './examine-target.ts';

/**
 * Checks that tables can be created.
 *
 * @param schema to create if it is missing; undefined if the tables go to those of the dump
 * @param tables to create
 * @throws {Failure} `refused`, with all problems
 */
export function checkRoom(
  { database, before }: Pick<ExaminedTarget, 'database' | 'before'>,
  schema: string | undefined,
  tables: readonly TableName[],
  target: ConnectionSettings,
): void {
  const existing = new Set(before.relations.map(keyOf));
  const present = tables.filter((table) => existing.has(keyOf(table)));
  const found = before.schemas.find(({ name }) => name === schema);
  const isClosed = found !== undefined && !(found.mayCreate && found.mayUse);
  const missing = {
    database: schema !== undefined && found === undefined && !database.mayCreate,
    schemas: isClosed ? [found.name] : [],
    absent: [],
  };
  checkTarget(database, missing, problemsWith(present, schema, target), target, true);
}

function problemsWith(
  present: readonly TableName[],
  schema: string | undefined,
  { database }: ConnectionSettings,
): readonly string[] {
  if (present.length === 0) {
    return [];
  }
  const names = present.map((table) => `${identifier(table.schema)}.${identifier(table.name)}`);
  const advice =
    schema === undefined
      ? 'leave --as-is out to have the rows beside them, or rename them before.'
      : `these rows were restored before. To restore them again, run DROP TABLE ${names.join(', ')};`;
  return [`The database "${database}" already has ${listed(present.map(nameOf), MANY)}: ${advice}`];
}
