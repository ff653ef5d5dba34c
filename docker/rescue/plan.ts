import type { TableName } from '../postgres/names/table-name.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import type { ArchiveIndex } from './archive-index.ts';
import type { ArchivedRows, Partitions } from './select-tables.ts';

/** Something to do in the database. */
export type Step =
  /** What tables need: taken from the database if it is there, and otherwise created. */
  | { readonly kind: 'need'; readonly what: ArchiveObject; readonly statement: string }
  /** What must succeed. Its action is for the reader, after "refused to": `create the table public.orders`. */
  | { readonly kind: 'statement'; readonly action: string; readonly statement: string }
  /** Rows to copy into a table. */
  | { readonly kind: 'rows'; readonly rows: ArchivedRows; readonly into: TableName };

/** What to do, in one transaction. */
export interface Plan {
  readonly steps: readonly Step[];
  /** The tables that it creates. */
  readonly tables: readonly TableName[];
  /** What the dump has about the tables, and is not restored. */
  readonly leftOut: readonly ArchiveObject[];
}

/** What is known of an archive when the steps are planned. */
export interface PlannedArchive {
  /** In the order of the archive, in which nothing comes before what it needs. */
  readonly objects: readonly ArchiveObject[];
  readonly index: ArchiveIndex;
  readonly partitions: Partitions;
  /** That create the objects, by ID. */
  readonly statements: ReadonlyMap<number, string>;
}

/**
 * What objects need, directly or not. A partition does not need the table that it belongs to.
 *
 * @param roots IDs of the objects, which are not among the result
 */
export function needsOf(
  roots: ReadonlySet<number>,
  { objects, index, partitions }: Omit<PlannedArchive, 'statements'>,
): readonly ArchiveObject[] {
  const parents = new Map([...partitions].flatMap(([parent, own]) => own.map(({ id }) => [id, parent] as const)));
  const needed = new Set(roots);
  const left = [...roots];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    for (const other of index.dependencies.get(id) ?? []) {
      if (other !== parents.get(id) && !needed.has(other)) {
        needed.add(other);
        left.push(other);
      }
    }
  }
  return objects.filter(({ id }) => needed.has(id) && !roots.has(id));
}

/** A sequence that is created gets its value, too. */
export function needSteps(
  needs: readonly ArchiveObject[],
  { objects, index, statements }: PlannedArchive,
): readonly Step[] {
  const values = objects.filter(({ kind }) => kind === 'SEQUENCE SET');
  return needs.map((what) => {
    const own = values.filter(({ id }) => index.dependencies.get(id)?.includes(what.id));
    return { kind: 'need', what, statement: [what, ...own].map(({ id }) => statements.get(id) ?? '').join('\n') };
  });
}
