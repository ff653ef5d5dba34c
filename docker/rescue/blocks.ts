import type { DataBlock } from '../archive/archive-structure.ts';
import type { HashedCount } from '../census/row-hash.ts';
import { Failure } from '../failure.ts';
import { listed, MANY } from '../listed.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import { keyOf } from '../restore/comparison.ts';
import type { StoredDump } from '../restore/stored-dump/stored-dump.ts';
import type { ArchiveIndex } from './archive-index.ts';
import type { ArchivedRows, SelectedTable } from './select-tables.ts';

/** Where rows are in a dump. */
export interface RowsBlock extends DataBlock {
  /** ID of their entry. */
  readonly id: number;
  /** What was counted of them when the dump was proven; undefined if its manifest does not say. */
  readonly proven: HashedCount | undefined;
}

/**
 * Where rows are in a dump: by its manifest, or by its own table of contents, which only one has that was not streamed.
 *
 * @throws {Failure} `refused` if neither says; `verificationFailed` if the manifest is not of this dump
 */
export function blocksOf(
  rows: readonly ArchivedRows[],
  { data }: Pick<ArchiveIndex, 'data'>,
  { census, bytes }: Pick<StoredDump, 'census' | 'bytes'>,
): readonly RowsBlock[] {
  return census === null ? blocksByOffset(rows, data, bytes) : blocksByCensus(rows, census.tables);
}

function blocksByCensus(
  rows: readonly ArchivedRows[],
  tables: readonly (DataBlock & HashedCount & { readonly schema: string; readonly name: string })[],
): readonly RowsBlock[] {
  const counted = new Map(tables.map((table) => [keyOf(table), table]));
  return rows.map((each) => {
    const table = counted.get(keyOf(each));
    if (table === undefined) {
      throw new Failure(
        'verificationFailed',
        `The manifest does not say where the dump has the rows of ${nameOf(each)}: it is not the manifest of this dump.`,
      );
    }
    const { offset, length, count, hash } = table;
    return { id: each.id, offset, length, proven: { count, hash } };
  });
}

function blocksByOffset(
  rows: readonly ArchivedRows[],
  data: ArchiveIndex['data'],
  bytes: number,
): readonly RowsBlock[] {
  const ends = [...data.values()].flatMap(({ offset }) => offset ?? []).concat(bytes);
  ends.sort((a, b) => a - b);
  return rows.map((each) => {
    const offset = data.get(each.id)?.offset;
    const end = offset === undefined ? undefined : ends.find((at) => at > offset);
    if (offset === undefined || end === undefined) {
      throw new Failure(
        'refused',
        `Neither the manifest nor the dump says where in it the rows of ${nameOf(each)} are, because an earlier version ` +
          'streamed it, or a later attempt than the one that made it wrote the manifest: restore the whole dump.',
      );
    }
    return { id: each.id, offset, length: end - offset, proven: undefined };
  });
}

/** @throws {Failure} `refused` if there are no rows of a table */
export function checkNotEmpty(tables: readonly SelectedTable[], blocks: readonly RowsBlock[]): void {
  const counts = new Map(blocks.map(({ id, proven }) => [id, proven?.count]));
  const empty = tables.filter(({ rows }) => rows.every(({ id }) => counts.get(id) === 0));
  if (empty.length > 0) {
    throw new Failure(
      'refused',
      `The dump has no row of ${listed(empty.map(nameOf), MANY)}. The command history shows which dumps have some.`,
    );
  }
}
