import pg from 'pg';
import { Failure } from '../failure.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';
import { keyOf } from '../restore/comparison.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import { needsOf, needSteps, type Plan, type PlannedArchive, type Step } from './plan.ts';
import type { SelectedTable } from './select-tables.ts';
import { parseTableDefinition, type TableDefinition } from './table-definition.ts';

/**
 * The schema for the rows of a dump: `rescued_20261122t080000z`. Its letters are small, so that it is found without
 * quotation marks, however it is written.
 *
 * @param scheduledFor UTC, RFC 3339, whole seconds
 */
export function rescuedSchema(scheduledFor: string): string {
  return `rescued_${scheduledFor.replace(/[-:]/g, '').toLowerCase()}`;
}

/**
 * Plans to copy tables beside those of the database: each becomes one plain table with all columns of the dump, which
 * also holds the rows of its partitions.
 *
 * @throws {Failure} `refused` if two tables have the same name, or the dump has not all of their columns
 */
export function planIntoSchema(schema: string, tables: readonly SelectedTable[], archive: PlannedArchive): Plan {
  const twice = tables.find(({ name }, index) => tables.slice(0, index).some((other) => other.name === name));
  if (twice !== undefined) {
    throw new Failure(
      'refused',
      `Two of the tables have the name ${nameOf({ ...twice, schema: '' })}, and would be the same in the schema ` +
        `${schema}: restore one of them, rename it there (ALTER TABLE … RENAME TO …), and restore the other.`,
    );
  }
  const copies = tables.map(({ table, name }) => copyOf(table, { schema, name }, archive));
  const parents = new Set(copies.flatMap((copy) => copy.parents));
  const needs = needsOf(new Set(tables.map(({ table }) => table.id)), archive);
  return {
    steps: [
      ...needSteps(
        needs.filter(({ id }) => !parents.has(id)),
        archive,
      ),
      statement(`create the schema ${schema}`, `CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`),
      ...copies.flatMap((copy) => copy.steps),
      ...tables.flatMap(({ name, rows }) =>
        rows.map((each) => ({ kind: 'rows', rows: each, into: { schema, name } }) as const),
      ),
    ],
    tables: tables.map(({ name }) => ({ schema, name })),
    leftOut: [],
  };
}

function statement(action: string, text: string): Step {
  return { kind: 'statement', action, statement: text };
}

function qualified({ schema, name }: TableName): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}

interface Copy {
  readonly steps: readonly Step[];
  /** IDs of the tables that it inherits columns from. */
  readonly parents: readonly number[];
}

/**
 * A table without rows, constraints and partitions. The columns that it inherits are only in the definitions of its
 * parents, so it inherits them from copies of these, which are then removed.
 */
function copyOf(table: ArchiveObject, into: TableName, archive: PlannedArchive): Copy {
  const { body, parents: names } = definitionOf(table, archive);
  const parents = names.map((name) => {
    const parent = archive.objects.find((object) => object.kind === 'TABLE' && keyOf(object) === keyOf(name));
    if (parent === undefined) {
      throw new Failure(
        'refused',
        `The table ${nameOf(table)} inherits columns from ${nameOf(name)}, which the dump does not have.`,
      );
    }
    const copy = { schema: into.schema, name: `parent ${parent.id}` };
    return { ...copyOf(parent, copy, archive), id: parent.id, name: qualified(copy) };
  });
  const inherits = parents.length === 0 ? '' : ` INHERITS (${parents.map(({ name }) => name).join(', ')})`;
  const action = `create the table ${nameOf(into)}`;
  return {
    steps: [
      ...parents.flatMap(({ steps }) => steps),
      statement(action, `CREATE TABLE ${qualified(into)}${body}${inherits}`),
      ...parents.map(({ name }) => statement(action, `ALTER TABLE ${qualified(into)} NO INHERIT ${name}`)),
      ...parents.map(({ name }) => statement(action, `DROP TABLE ${name}`)),
    ],
    parents: parents.flatMap((parent) => [parent.id, ...parent.parents]),
  };
}

/** @throws {Failure} `internal` if pg_dump writes it in another way than any version that is known */
function definitionOf(table: ArchiveObject, { statements }: PlannedArchive): TableDefinition {
  const definition = parseTableDefinition(statements.get(table.id) ?? '');
  if (definition === undefined) {
    throw new Failure('internal', `The dump has a definition of ${nameOf(table)} that is not as expected.`);
  }
  return definition;
}
