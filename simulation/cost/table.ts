/** Formats rows of cells as columns of the same width, aligned to the right. */
export function tableText(rows: readonly (readonly string[])[], width: number): string {
  return rows.map((row) => row.map((cell) => cell.padStart(width)).join('')).join('\n') + '\n';
}
