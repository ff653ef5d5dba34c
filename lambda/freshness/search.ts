import type { Purpose } from '../../contract.ts';
import type { Watch } from '../core/freshness/memory.ts';
import { isOld, type Owing } from '../core/freshness/owing.ts';
import type { CheckContext } from './check-context.ts';
import { findDumps, type FoundRuns } from './dumps.ts';

/**
 * If none of a secret's dumps was due for this long, they are searched for nevertheless: the newest may have expired,
 * or one may have been made on request. Daily schedules never reach it, not even when the clock is shifted.
 */
const SEARCH_AGAIN_MS = 30 * 60 * 60_000;

/** Whether a run was taken for that of a single database until its manifest was read. */
export function isUnproven(watch: Watch | undefined): boolean {
  return watch?.manifest?.databases !== undefined && watch.others === undefined;
}

/** Whether a secret is known to have several databases. */
export function isOfSeveral(watch: Watch | undefined): boolean {
  return watch?.others !== undefined || watch?.manifest?.databases !== undefined;
}

/** Whether the dumps of a secret are to be searched for. */
export function needsSearch(
  owing: Owing,
  wanted: readonly string[],
  watch: Watch | undefined,
  { terms, now }: CheckContext,
): boolean {
  const { newest, searched } = watch ?? {};
  return (
    wanted.length > 0 ||
    searched === undefined ||
    isUnproven(watch) ||
    now.getTime() - Date.parse(searched) >= SEARCH_AGAIN_MS ||
    // A newer one may have come that was not owed.
    (owing.kind === 'runs' && isOld(newest, owing.schedule, now, terms))
  );
}

/** Searches for its dumps, and for the evidence of its drills. */
export async function search(
  secretName: string,
  wanted: Readonly<Record<Purpose, readonly string[]>>,
  isForDumps: boolean,
  watch: Watch | undefined,
  { s3, buckets }: CheckContext,
): Promise<FoundRuns> {
  // All dumps are listed if that is what is needed, and once without their sizes.
  const isForAll = watch?.sizes === undefined || (isForDumps && wanted.dump.length === 0) || isOfSeveral(watch);
  return await findDumps(s3, buckets, { secretName, wanted, known: isForAll ? undefined : watch.newest });
}
