/** What a column shows, as lines of the same number. The first column is the most important one. */
export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
}

const GAP = '  ';

/**
 * Lines of a table, the titles first. Columns that do not fit are left out, the last ones first; the first two stay.
 *
 * @param width in characters
 */
export function tableOf(columns: readonly Column[], width: number): readonly string[] {
  const widths = columns.map(({ title, cells }) =>
    cells.reduce((most, { length }) => Math.max(most, length), title.length),
  );
  let count = columns.length;
  while (count > 2 && widths.slice(0, count).reduce((sum, each) => sum + each + GAP.length, -GAP.length) > width) {
    count -= 1;
  }
  const lines = columns[0]?.cells.length ?? 0;
  return [-1, ...Array(lines).keys()].map((line) =>
    columns
      .slice(0, count)
      .map(({ title, cells }, column) => (line === -1 ? title : (cells[line] ?? '')).padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}
