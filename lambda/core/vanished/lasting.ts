import { KEPT_LONGER_DAYS } from '../../../contract.ts';
import { isSameDatabase, type StoredDump, whenOf } from '../freshness/dump-key.ts';
import type { Vanished } from '../freshness/memory.ts';
import type { Census } from './census.ts';
import { isVanished, lostOf, rowsOf } from './comparison.ts';
import type { Limits } from './limits.ts';
import type { VanishedRows } from './message.ts';

/** How many tables of a secret are remembered. */
const MAX_TABLES = 20;

/** The dump with the rows is sure to be there for as long. */
const MAX_AGE_MS = KEPT_LONGER_DAYS * 24 * 60 * 60_000;

/**
 * Which of the tables whose rows vanished are still to be shown: those that may not lose as much by now, and whose dump
 * with the rows may not have expired. A change of the limits thus counts at once, and for good.
 *
 * @returns undefined if there is none
 */
export function lasting(vanished: Vanished | undefined, limits: Limits, now: Date): Vanished | undefined {
  const { tables = [], more = 0 } = vanished ?? {};
  const left = tables.filter(
    (table) => isVanished(table, limits) && now.getTime() - Date.parse(table.since) < MAX_AGE_MS,
  );
  return left.length === 0 ? undefined : { tables: left, more };
}

/**
 * Continues the list of tables whose rows vanished with a later dump. One whose rows are back is left out, and so is
 * one whose rows the filters now leave out. Tables of other databases stay in it.
 *
 * @param found what that dump lacks of the one before
 */
export function vanishedAsOf(
  before: Vanished | undefined,
  { dump, census }: { readonly dump: StoredDump; readonly census: Census },
  found: VanishedRows | undefined,
  limits: Limits,
): Vanished | undefined {
  const { tables: earlier = [], more = 0 } = before ?? {};
  const others = earlier.filter((table) => !isSameDatabase(table.earlier, dump));
  const known = earlier
    .filter((table) => !others.includes(table))
    .filter(({ table }) => !census.isLeftOut(table))
    .map((table) => ({ ...table, after: rowsOf(census, table.table) ?? table.after }))
    .filter((table) => isVanished(table, limits));
  const names = new Set(known.map(({ table }) => table));
  const added = found === undefined ? [] : entriesOf(found).filter(({ table }) => !names.has(table));
  const tables = [...others, ...known, ...added];
  tables.sort((one, other) => lostOf(other) - lostOf(one));
  return tables.length === 0
    ? undefined
    : {
        tables: tables.slice(0, MAX_TABLES),
        more: (others.length + known.length === 0 ? 0 : more) + Math.max(tables.length - MAX_TABLES, 0),
      };
}

/**
 * Without the tables of databases that are not dumped any more.
 *
 * @param compared of each database, the dump that was compared last
 */
export function vanishedOf(vanished: Vanished | undefined, compared: readonly StoredDump[]): Vanished | undefined {
  const { tables = [], more = 0 } = vanished ?? {};
  const left = tables.filter(({ earlier }) => compared.some((dump) => isSameDatabase(dump, earlier)));
  return left.length === 0 ? undefined : { tables: left, more };
}

function entriesOf({ tables, dump, earlier }: VanishedRows): Vanished['tables'] {
  const since = whenOf(dump.key) ?? '';
  return tables.map((table) => ({ ...table, since, earlier }));
}
