import type { Found } from './assessment.ts';
import { whenOf } from './dump-key.ts';
import type { Watch } from './memory.ts';

/** How many sizes are remembered. */
const MAX_SIZES = 30;

/** Sizes of a secret's dumps, in bytes, oldest first. */
export interface History {
  /** Those of its last dumps. */
  readonly sizes: readonly number[];
  /** Those of the dumps that were not there at the last search; none at the first one. */
  readonly added: readonly number[];
}

/** Continues the history of a secret. It begins anew if the newest dump of the last search is gone. */
export function historyOf(before: Watch | undefined, { sizes: found, newest }: Found): History {
  const known = whenOf(before?.newest?.key ?? '') ?? '';
  const isContinued = before?.sizes !== undefined && (whenOf(newest?.key ?? '') ?? '') >= known;
  const earlier = isContinued ? before.sizes : [];
  const added = [...found]
    .filter(([time]) => !isContinued || time > known)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, bytes]) => bytes);
  return { sizes: [...earlier, ...added].slice(-MAX_SIZES), added: isContinued ? added : [] };
}
