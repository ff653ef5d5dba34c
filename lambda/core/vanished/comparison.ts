import { sum } from '../sum.ts';
import type { Census } from './census.ts';
import type { Limits } from './limits.ts';

/** A table that lost more of its rows from one dump to the next than it may. */
export interface VanishedTable {
  /** Qualified; of partitions, that of their topmost table. `large objects` for all of these. */
  readonly table: string;
  /** Rows in the earlier dump. */
  readonly before: number;
  /** Rows in the later one; `gone` if it has no such table. */
  readonly after: number | 'gone';
}

/** Fewer rows than these may vanish from a table that is still there: those of small tables come and go. */
const MIN_LOST = 10;

const LARGE_OBJECTS = 'large objects';

/** Name of these in the limits: in a tag, a name ends at a blank. */
const LARGE_OBJECTS_LIMIT = 'largeobjects';

/**
 * Finds the tables that lost more rows from one dump to a later one of the same database than they may, or are gone
 * with their rows; those that lost most come first.
 *
 * Partitions count together, as their topmost table: one that was dropped, attached or detached is no loss by itself.
 * A table whose rows the later dump's filters left out has not lost any.
 */
export function vanishedBetween(before: Census, after: Census, limits: Limits): readonly VanishedTable[] {
  const objects =
    before.largeObjects === undefined || after.largeObjects === undefined
      ? []
      : [{ table: LARGE_OBJECTS, before: before.largeObjects, after: after.largeObjects }];
  return [...tableTotals(before, after), ...objects]
    .filter((total) => isVanished(total, limits))
    .sort((one, other) => lostOf(other) - lostOf(one));
}

function tableTotals(before: Census, after: Census): readonly VanishedTable[] {
  const later = new Map(after.tables.map((table) => [table.name, table]));
  const earlier = new Map<string, number>();
  const groups = new Map<string, string>();
  for (const { name, rows, partitionOf } of before.tables) {
    if (rows !== undefined && !after.isLeftOut(name)) {
      const group = partitionOf ?? later.get(name)?.partitionOf ?? name;
      groups.set(name, group);
      earlier.set(group, (earlier.get(group) ?? 0) + rows);
    }
  }
  const left = new Map<string, number>();
  for (const { name, rows = 0, partitionOf } of after.tables) {
    const group = groups.get(name) ?? partitionOf ?? name;
    left.set(group, (left.get(group) ?? 0) + rows);
  }
  const isNumbered = before.hasPartitions ? () => false : numberedLike(after);
  return [...earlier].flatMap(([table, rows]) => {
    const now = left.get(table) ?? 'gone';
    return now === 'gone' && isNumbered(table) ? [] : [{ table, before: rows, after: now }];
  });
}

/**
 * Whether a table seems to be one of several partitions, by a manifest that does not say so: others have the same name
 * with other digits in it.
 */
function numberedLike({ tables }: Census): (name: string) => boolean {
  const stemOf = (name: string) => name.replace(/\d+/g, '#');
  const stems = new Set(tables.map(({ name }) => stemOf(name)));
  return (name) => /\d/.test(name) && stems.has(stemOf(name));
}

/**
 * Rows that a dump has of a table, or of its partitions together; `gone` if it has no such table.
 *
 * @param table as {@link vanishedBetween} names it
 * @returns undefined if they were not counted
 */
export function rowsOf({ tables, largeObjects }: Census, table: string): VanishedTable['after'] | undefined {
  if (table === LARGE_OBJECTS) {
    return largeObjects;
  }
  const parts = tables.filter(({ name, partitionOf }) => name === table || partitionOf === table);
  return parts.length === 0 ? 'gone' : sum(parts.map(({ rows = 0 }) => rows));
}

/** Whether a table lost more than it may, or is gone with its rows. */
export function isVanished(total: VanishedTable, { others, tables }: Limits): boolean {
  const { table, before, after } = total;
  const name = table === LARGE_OBJECTS ? LARGE_OBJECTS_LIMIT : table.replaceAll('"', '');
  const limit = tables.get(name) ?? others;
  if (limit === 'off') {
    return false;
  }
  const lost = lostOf(total);
  return after === 'gone' ? before > 0 : lost >= MIN_LOST && lost * 100 > limit * before;
}

/** How many rows a table lost. */
export function lostOf({ before, after }: VanishedTable): number {
  return before - (after === 'gone' ? 0 : after);
}
