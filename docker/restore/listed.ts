/** Names in one line of the log. */
const SHOWN = 50;

/** The names, as far as they fit in a line. */
export function listed(names: readonly string[], separator = ', '): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(separator)}${more}`;
}
