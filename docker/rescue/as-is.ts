import { nameOf } from '../postgres/names/quoting.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import { needsOf, needSteps, type Plan, type PlannedArchive, type Step } from './plan.ts';
import type { SelectedTable } from './select-tables.ts';

/** What belongs to tables, in pg_dump's words, and concerns nothing else. */
const BELONGINGS: ReadonlySet<string> = new Set([
  ...['SEQUENCE', 'SEQUENCE OWNED BY', 'SEQUENCE SET', 'DEFAULT', 'TABLE ATTACH'],
  ...['CONSTRAINT', 'CHECK CONSTRAINT', 'INDEX', 'INDEX ATTACH', 'STATISTICS'],
]);

/** An entry that also depends on one of these, which is not restored, belongs to more than the tables. */
const OTHERS: ReadonlySet<string> = new Set(['TABLE', 'INDEX']);

/**
 * Plans to put tables back under their own names, with their partitions, and with defaults, sequences, indexes, and
 * constraints other than foreign keys.
 */
export function planAsIs(tables: readonly SelectedTable[], archive: PlannedArchive): Plan {
  const { objects, index, statements } = archive;
  const own = new Map(tables.flatMap(({ table, partitions }) => [table, ...partitions]).map((each) => [each.id, each]));
  const rows = new Map(tables.flatMap((table) => table.rows).map((each) => [each.id, each]));
  const kinds = new Map(objects.map(({ id, kind }) => [id, kind]));
  const leftOut: ArchiveObject[] = [];
  // What something depends on comes before it.
  for (const object of objects) {
    const dependencies = index.dependencies.get(object.id) ?? [];
    if (own.has(object.id) || rows.has(object.id) || !dependencies.some((id) => own.has(id))) {
      continue;
    }
    const concernsOthers = dependencies.some((id) => !own.has(id) && OTHERS.has(kinds.get(id) ?? ''));
    if (BELONGINGS.has(object.kind) && !concernsOthers) {
      own.set(object.id, object);
    } else {
      leftOut.push(object);
    }
  }
  const needs = needsOf(new Set(own.keys()), archive);
  const steps = objects.flatMap((object): Step | readonly Step[] => {
    const filled = rows.get(object.id);
    if (filled !== undefined) {
      return { kind: 'rows', rows: filled, into: filled.copy };
    }
    const statement = statements.get(object.id) ?? '';
    const action = `create the ${object.kind.toLowerCase()} ${nameOf(object)}`;
    return own.has(object.id) ? { kind: 'statement', action, statement } : [];
  });
  const created = [...own.values()].filter(({ kind }) => kind === 'TABLE');
  return { steps: [...needSteps(needs, archive), ...steps], tables: created, leftOut };
}
