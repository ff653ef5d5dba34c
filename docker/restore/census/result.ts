import type { HashedCount } from '../../census/row-hash.ts';
import type { Unread } from './attempt.ts';
import type { Counted, Verification } from './count-rows.ts';

/** What a database has of a table, or of large objects; undefined if it does not have the table. */
export type Found = Counted | Unread | undefined;

/** How it compares with the dump. */
export type Result =
  { readonly kind: 'equal' | 'absent' } | { readonly kind: 'different' | 'hidden'; readonly text: string };

/**
 * @param of what comes before the text: `public.t: `
 * @param unit what is counted, in the singular: `row`
 */
export function resultOf(
  of: string,
  unit: string,
  expected: HashedCount,
  found: Found,
  verification: Verification,
): Result {
  const dumped = `${of}${counted(expected.count, unit)} in the dump`;
  if (found === undefined) {
    return { kind: 'absent' };
  }
  if ('kind' in found) {
    return found.kind === 'hidden'
      ? { kind: 'hidden', text: `${of}${found.reason}` }
      : { kind: 'different', text: `${dumped}, and they cannot be read in the database (${found.reason})` };
  }
  if (found.count !== expected.count) {
    return { kind: 'different', text: `${dumped}, ${found.count} in the database` };
  }
  if (verification === 'rows') {
    return { kind: 'equal' };
  }
  if (!('hash' in found)) {
    return {
      kind: 'hidden',
      text: `${of}only counted, because its partitions were dumped with their columns in different orders`,
    };
  }
  return found.hash === expected.hash
    ? { kind: 'equal' }
    : { kind: 'different', text: `${of}${counted(found.count, unit)} in both, with other contents` };
}

/** @param unit in the singular */
export function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
