import { whenOf } from '../freshness/dump-key.ts';
import type { ManifestReads, Memory, Watch } from '../freshness/watch.ts';

/**
 * How many manifests are read on a day. Ten thousand daily secrets cost 12,496 requests without these, and are to stay
 * below 15,000: of an account with more dumps than this a day, not every manifest is read.
 */
const MAX_READS = 2400;

/** The manifests that a check reads. */
export interface ReadingPlan {
  /** ARNs of the secrets whose newest dump's manifest is to be read. */
  readonly secrets: readonly string[];
  /** How many were read today, when these are. */
  readonly reads: ManifestReads;
}

/** Picks those that were not read yet, and those that could not be; first where the last one read is the oldest. */
export function manifestsToRead({ watches, manifestReads }: Memory, now: Date): ReadingPlan {
  const day = now.toISOString().slice(0, 10);
  const earlier = manifestReads?.day === day ? manifestReads.count : 0;
  const secrets = [...watches]
    .filter(([, watch]) => isUnread(watch))
    .sort(([, one], [, other]) => (lastRead(one) < lastRead(other) ? -1 : 1))
    .slice(0, Math.max(0, MAX_READS - earlier))
    .map(([arn]) => arn);
  return { secrets, reads: { day, count: earlier + secrets.length } };
}

function isUnread({ newest, manifest }: Watch): boolean {
  return newest !== undefined && (manifest?.scheduledFor !== whenOf(newest.key) || manifest?.problem !== undefined);
}

function lastRead({ manifest }: Watch): string {
  return manifest?.scheduledFor ?? '';
}
