/** Names in a sentence that says more than these. */
export const FEW = 5;

/** Names that take a line of the log by themselves. */
export const MANY = 50;

/** The first names, and how many more there are: `a, b, and 3 more`. */
export function listed(names: readonly string[], most: number, separator = ', '): string {
  const more = names.length > most ? [`and ${names.length - most} more`] : [];
  return [...names.slice(0, most), ...more].join(separator);
}
