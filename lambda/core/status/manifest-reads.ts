import { type StoredDump, whenOf } from '../freshness/dump-key.ts';
import type { ManifestReads, Memory, Watch } from '../freshness/memory.ts';

/**
 * At most this many manifests are read per day. Ten thousand daily secrets cost 12,520 requests without these, and are
 * to stay below 15,000: of an account with more dumps than this a day, not every manifest is read.
 */
const MAX_READS = 2400;

/** A secret whose newest dump's manifest is to be read. */
export interface Unread {
  readonly arn: string;
  readonly watch: Watch;
  readonly dump: StoredDump;
}

/** What a check reads. */
export interface ReadingPlan {
  readonly unread: readonly Unread[];
  /** How many were read today, when these are. */
  readonly reads: ManifestReads;
}

/**
 * Picks the manifests that were not read yet, and those that could not be read on an earlier day but may be now; first
 * those of the secrets whose last one read is the oldest.
 */
export function manifestsToRead({ watches, manifestReads }: Memory, now: Date): ReadingPlan {
  const day = now.toISOString().slice(0, 10);
  const earlier = manifestReads?.day === day ? manifestReads.count : 0;
  const unread = [...watches]
    .flatMap(([arn, watch]) => unreadOf(arn, watch, day))
    .sort((one, other) => (lastRead(one) < lastRead(other) ? -1 : 1));
  const picked: Unread[] = [];
  let count = earlier;
  for (const one of unread) {
    count += readsFor(one);
    if (count > MAX_READS) {
      return { unread: picked, reads: { day, count: MAX_READS } };
    }
    picked.push(one);
  }
  return { unread: picked, reads: { day, count } };
}

/** The manifest of the dump before is read as well, to compare the rows. */
function readsFor({ watch: { compared } }: Unread): number {
  return compared === undefined ? 1 : 2;
}

function unreadOf(arn: string, watch: Watch, day: string): readonly Unread[] {
  const { newest: dump, manifest, manifestRead } = watch;
  if (dump === undefined) {
    return [];
  }
  const isRead = manifest?.scheduledFor === whenOf(dump.key);
  const isToBeReadAgain = manifest?.problem !== undefined && manifestRead !== undefined && manifestRead !== day;
  return isRead && !isToBeReadAgain ? [] : [{ arn, watch, dump }];
}

function lastRead({ watch: { manifest } }: Unread): string {
  return manifest?.scheduledFor ?? '';
}
