import type { Incomplete } from '../freshness/memory.ts';
import { onOneLine } from './one-line.ts';

/**
 * Which databases of a run have a dump: `38 of 40 databases are dumped; missing: crm, orders`.
 *
 * @param most names to say
 */
export function databasesInWords({ dumped, expected, missing }: Incomplete, most: number): string {
  if (expected === undefined) {
    const are = dumped === 1 ? 'database is' : 'databases are';
    return `${dumped} ${are} dumped; how many should be is not known, since no manifest of that run can be read`;
  }
  const names = missing.slice(0, most).map((name) => onOneLine(name));
  const more = expected - dumped - names.length;
  return (
    `${dumped} of ${expected} databases are dumped; missing: ${names.join(', ')}` +
    (more > 0 ? ` and ${more} more` : '')
  );
}
