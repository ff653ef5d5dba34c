import { Failure } from '../failure.ts';
import type { LeftOut } from '../postgres/filters/left-out.ts';
import { suggestion } from '../postgres/names/near-names.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';
import { keyOf } from '../restore/comparison.ts';
import type { CopyStatement } from '../restore/stored-dump/copy-statement.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import type { ArchiveIndex } from './archive-index.ts';

/** The rows of a table or partition in an archive. */
export interface ArchivedRows extends ArchiveObject {
  readonly copy: CopyStatement;
}

/** A table to rescue. */
export interface SelectedTable extends TableName {
  readonly table: ArchiveObject;
  /** Its partitions, and theirs. */
  readonly partitions: readonly ArchiveObject[];
  /** Its rows, or those of its partitions, in the order of the archive. */
  readonly rows: readonly ArchivedRows[];
}

/** Partitions, by the ID of the table that they belong to. */
export type Partitions = ReadonlyMap<number, readonly ArchiveObject[]>;

/** @param objects of the archive */
export function partitionsIn(
  objects: readonly ArchiveObject[],
  { dependencies }: Pick<ArchiveIndex, 'dependencies'>,
): Partitions {
  const tables = new Map(objects.filter(({ kind }) => kind === 'TABLE').map((table) => [table.id, table]));
  const partitions = new Map<number, ArchiveObject[]>();
  for (const attached of objects.filter(({ kind }) => kind === 'TABLE ATTACH')) {
    const both = (dependencies.get(attached.id) ?? []).flatMap((id) => tables.get(id) ?? []);
    const partition = both.find((table) => keyOf(table) === keyOf(attached));
    const parent = both.find((table) => keyOf(table) !== keyOf(attached));
    if (partition !== undefined && parent !== undefined) {
      const known = partitions.get(parent.id) ?? [];
      partitions.set(parent.id, known);
      known.push(partition);
    }
  }
  return partitions;
}

function partitionsOf({ id }: ArchiveObject, partitions: Partitions): readonly ArchiveObject[] {
  return (partitions.get(id) ?? []).flatMap((partition) => [partition, ...partitionsOf(partition, partitions)]);
}

function hasCopy(object: ArchiveObject): object is ArchivedRows {
  return object.kind === 'TABLE DATA' && object.copy !== undefined;
}

/**
 * Finds tables in an archive.
 *
 * @param objects of the archive
 * @param leftOut what filters left out of it; null if that is unknown
 * @throws {Failure} `refused`, with all that cannot be rescued
 */
export function selectTables(
  names: readonly TableName[],
  objects: readonly ArchiveObject[],
  allPartitions: Partitions,
  leftOut: LeftOut | null,
): readonly SelectedTable[] {
  const selected = names.map((name): SelectedTable | string => {
    const table = objects.find((object) => object.kind === 'TABLE' && keyOf(object) === keyOf(name));
    if (table === undefined) {
      return whyMissing(name, objects, leftOut);
    }
    const partitions = partitionsOf(table, allPartitions);
    const keys = new Set([table, ...partitions].map(keyOf));
    const rows = objects.filter(hasCopy).filter((object) => keys.has(keyOf(object)));
    return rows.length === 0 ? withoutRows(name, leftOut) : { ...name, table, partitions, rows };
  });
  const problems = selected.filter((each) => typeof each === 'string');
  if (problems.length > 0) {
    throw new Failure('refused', problems.join(' '));
  }
  return selected.filter((each) => typeof each !== 'string');
}

function whyMissing(name: TableName, objects: readonly ArchiveObject[], leftOut: LeftOut | null): string {
  const written = nameOf(name);
  const same = objects.filter((object) => keyOf(object) === keyOf(name));
  if (leftOut?.tables.includes(written) === true) {
    return `The table ${written} is not in the dump: the filters of its secret left it out.`;
  }
  if (same.some(({ kind }) => kind === 'TABLE DATA')) {
    return `The table ${written} belongs to an extension, and the dump has rows of it, but not its definition: restore the whole dump.`;
  }
  const other = same.find(({ kind }) => kind.endsWith('VIEW') || kind === 'FOREIGN TABLE' || kind === 'SEQUENCE');
  if (other !== undefined) {
    return `${written} is a ${other.kind.toLowerCase()}, of which a dump has no rows.`;
  }
  const tables = objects.filter(({ kind }) => kind === 'TABLE').map(nameOf);
  return `The dump has no table ${written}${suggestion(written, tables) || '.'}`;
}

function withoutRows(name: TableName, leftOut: LeftOut | null): string {
  const written = nameOf(name);
  return leftOut?.rows.includes(written) === true
    ? `The dump has the table ${written} without its rows: the filters of its secret left them out.`
    : `The dump has the table ${written} without any rows of it.`;
}
