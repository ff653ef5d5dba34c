import { type StoredDump, whenOf } from '../freshness/dump-key.ts';
import type { DrillWatch, DumpManifest, ManifestReads, Memory, RunsWatch, Watch } from '../freshness/memory.ts';

/**
 * At most this many manifests and evidence are read per day. Ten thousand daily secrets cost 12,520 requests without
 * these, and are to stay below 15,000: of an account with more dumps than this a day, not every manifest is read.
 */
const MAX_READS = 2400;

/** A secret of whose newest dump or drill something is to be read. */
export interface Unread<W> {
  readonly arn: string;
  readonly watch: W;
  /** The dump, or the evidence; of several databases, that of each. */
  readonly objects: readonly StoredDump[];
}

/** What a check reads. */
export interface ReadingPlan<W> {
  readonly unread: readonly Unread<W>[];
  /** How many were read today, when these are. */
  readonly reads: ManifestReads;
}

/** What is remembered of reading. */
interface Reading {
  readonly objects: readonly StoredDump[];
  /** What was read last. */
  readonly known: Pick<DumpManifest, 'scheduledFor' | 'databases' | 'problem'> | undefined;
  /** The day on which that failed, if another try may succeed. */
  readonly failedOn: string | undefined;
}

type Memorized = Pick<Memory, 'manifestReads'>;

/**
 * Picks the manifests that were not read yet, and those that could not be read on an earlier day but may be now; first
 * those of the secrets whose last one read is the oldest.
 */
export function manifestsToRead(
  { watches, manifestReads }: Memorized & Pick<Memory, 'watches'>,
  now: Date,
): ReadingPlan<Watch> {
  const readingOf = (watch: Watch): Reading => ({
    objects: objectsOf(watch),
    known: watch.manifest,
    failedOn: watch.manifestRead,
  });
  // The manifest of the dump before is read as well, to compare the rows.
  const readsFor = (watch: Watch): number => {
    const { length } = objectsOf(watch);
    return length + Math.min(watch.compared?.length ?? 0, length);
  };
  return planOf(watches, { readingOf, readsFor }, manifestReads, now);
}

/** Picks the evidence in the same way. */
export function evidenceToRead(
  { drills, manifestReads }: Memorized & Pick<Memory, 'drills'>,
  now: Date,
): ReadingPlan<DrillWatch> {
  const readingOf = (watch: DrillWatch): Reading => ({
    objects: objectsOf(watch),
    known: watch.evidence,
    failedOn: watch.evidenceRead,
  });
  return planOf(drills, { readingOf, readsFor: (watch) => objectsOf(watch).length }, manifestReads, now);
}

/** Those of the newest run. */
function objectsOf({ newest, others = [] }: Pick<RunsWatch, 'newest' | 'others'>): readonly StoredDump[] {
  return newest === undefined ? [] : [newest, ...others];
}

function planOf<W>(
  watches: ReadonlyMap<string, W>,
  { readingOf, readsFor }: { readonly readingOf: (watch: W) => Reading; readonly readsFor: (watch: W) => number },
  before: ManifestReads | undefined,
  now: Date,
): ReadingPlan<W> {
  const day = now.toISOString().slice(0, 10);
  const earlier = before?.day === day ? before.count : 0;
  const lastRead = ({ watch }: Unread<W>): string => readingOf(watch).known?.scheduledFor ?? '';
  const unread = [...watches]
    .flatMap(([arn, watch]) => {
      const reading = readingOf(watch);
      return isUnread(reading, day) ? [{ arn, watch, objects: reading.objects }] : [];
    })
    .sort((one, other) => (lastRead(one) < lastRead(other) ? -1 : 1));
  const picked: Unread<W>[] = [];
  let count = earlier;
  for (const one of unread) {
    const reads = readsFor(one.watch);
    if (count + reads <= MAX_READS) {
      count += reads;
      picked.push(one);
    }
  }
  return { unread: picked, reads: { day, count } };
}

/** A run may have dumped more databases since its manifests were read. */
function isUnread({ objects, known, failedOn }: Reading, day: string): boolean {
  const [first] = objects;
  if (first === undefined) {
    return false;
  }
  const isRead = known?.scheduledFor === whenOf(first.key) && (known?.databases ?? 1) === objects.length;
  const isToBeReadAgain = known?.problem !== undefined && failedOn !== undefined && failedOn !== day;
  return !isRead || isToBeReadAgain;
}
