import { distance } from 'fastest-levenshtein';

/** Most letters by which a name may differ from what was written to be suggested. */
const NEAR = 3;

const MOST_SUGGESTIONS = 3;

/** What follows the schema. */
function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/**
 * What was probably meant, to follow a sentence: `; did you mean a or b?`, or nothing.
 *
 * @param names on one line, for the reader
 */
export function suggestion(written: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, far: Math.min(distance(written, name), distance(lastOf(written), lastOf(name))) }))
    .filter(({ far }) => far <= NEAR)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ name }) => name);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}
