import { whenOf } from './dump-key.ts';
import type { Found } from './found.ts';
import type { Watch } from './memory.ts';

/** How many sizes are remembered. */
const MAX_SIZES = 30;

/** Sizes of a secret's dumps, in bytes, oldest first. */
export interface History {
  /** Those of its last dumps. */
  readonly sizes: readonly number[];
  /** Bytes that were not there at the last search, by run; none at the first one. */
  readonly added: readonly number[];
}

/**
 * Continues the history of a secret. It begins anew if the newest dump of the last search is gone. The run of that one
 * may have dumped more databases since.
 */
export function historyOf(
  before: Watch | undefined,
  { sizes: found, newest }: Pick<Found, 'sizes' | 'newest'>,
): History {
  const known = whenOf(before?.newest?.key ?? '') ?? '';
  const isContinued = before?.sizes !== undefined && (whenOf(newest?.key ?? '') ?? '') >= known;
  const earlier = isContinued ? before.sizes : [];
  const last = earlier.at(-1);
  const lastNow = last === undefined ? undefined : (found.get(known) ?? last);
  const added = [...found]
    .filter(([time]) => !isContinued || time > known)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, bytes]) => bytes);
  const grown = last === undefined || lastNow === undefined || lastNow <= last ? [] : [lastNow - last];
  return {
    sizes: [...earlier.slice(0, -1), ...(lastNow === undefined ? [] : [lastNow]), ...added].slice(-MAX_SIZES),
    added: isContinued ? [...grown, ...added] : [],
  };
}
