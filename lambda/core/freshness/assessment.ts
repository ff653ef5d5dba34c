import type { Purpose } from '../../../contract.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { type StoredDump, whenOf } from './dump-key.ts';
import { type Found, latestOf } from './found.ts';
import type { Arrears, Incomplete, RunsWatch } from './memory.ts';
import { type Owing, timesBetween } from './owing.ts';

/** The run of a scheduled time, as Step Functions knows it. */
export type Run =
  | { readonly status: 'none' }
  | {
      readonly status: 'going' | 'failed' | 'timed out' | 'stopped' | 'succeeded';
      readonly execution: string;
      /** Why it failed, or with which reason it made no dump. */
      readonly reason?: string;
    };

/** Scheduled times without a dump, or without evidence of their drill: the first, the last and how many. */
export type Missing = Pick<Arrears, 'first' | 'last' | 'count'>;

/** What something to report is about. */
export interface About {
  readonly secret: string;
  readonly timezone: string;
  readonly purpose: Purpose;
}

/** Something to report of the dumps or the drills of a secret. */
export type News = About &
  (
    | {
        /** `lost`: what is missing is not there, but something later is. */
        readonly kind: 'overdue' | 'late' | 'lost';
        readonly missing: Missing;
        /** What the last missing time has, if it has some of its databases. */
        readonly incomplete?: Incomplete;
        readonly newest: StoredDump | undefined;
        /** That of the last missing time. */
        readonly run: Run;
        /** Whether nothing has changed since it was last reported. */
        readonly again: boolean;
      }
    | { readonly kind: 'caught up'; readonly missing: Missing; readonly newest: StoredDump }
    | { readonly kind: 'broken tags'; readonly reason: string }
  );

type OwedRuns = Owing & { readonly kind: 'runs' };

const DAY_MS = 24 * 60 * 60_000;

/** Scheduled times that were looked for in vain, or are incomplete, by whether something later is there. */
export interface Gaps {
  readonly lost: readonly string[];
  /** Without those of earlier checks. */
  readonly open: readonly string[];
  /** Arrears of earlier checks that last. */
  readonly lasting: Arrears | undefined;
  readonly incomplete: Found['incomplete'];
}

/**
 * Sorts out what is missing. A run that has not dumped all of its databases counts as if it had dumped none.
 *
 * @param before with the newest that was found now
 */
export function gapsOf(before: RunsWatch, { due, schedule }: OwedRuns, { sizes, incomplete }: Found): Gaps {
  const { arrears, newest } = before;
  const known = [whenOf(newest?.key ?? '') ?? '', ...sizes.keys()];
  const newestTime = latestOf(known.filter((time) => !incomplete.has(time)));
  const missing = due.filter((time) => !sizes.has(time) || incomplete.has(time));
  return {
    lost: missing.filter((time) => time < newestTime),
    open: missing.filter((time) => time > newestTime),
    lasting: arrears !== undefined && arrears.last > newestTime ? lastingOf(arrears, newestTime, schedule) : undefined,
    incomplete,
  };
}

/**
 * Arrears without what has come since, such as the dump of a late run: none is after the newest.
 */
function lastingOf(arrears: Arrears, newestTime: string, schedule: Schedule): Arrears {
  if (newestTime < arrears.first) {
    return arrears;
  }
  const [first = arrears.last, ...others] = timesBetween(schedule, newestTime, arrears.last);
  return { ...arrears, first, count: 1 + others.length };
}

/** The scheduled time whose run tells most about the gaps: the last one. */
export function runToAskFor({ lost, open, lasting }: Gaps): string | undefined {
  return open.at(-1) ?? lasting?.last ?? lost.at(-1);
}

/** What a check of the dumps or the drills of a secret found out: what to report, and what to remember. */
export interface Assessment {
  readonly news: readonly News[];
  readonly watch: RunsWatch;
}

/**
 * Assesses the dumps or the drills of a secret whose tags can be followed, after they were looked for.
 *
 * @param before with the newest that was found now
 * @param run that which {@link runToAskFor} names
 */
export function assess(
  about: About,
  before: RunsWatch,
  { tags, next }: OwedRuns,
  gaps: Gaps,
  run: Run,
  now: Date,
): Assessment {
  const { newest } = before;
  const news: News[] = [];
  if (gaps.lost.length > 0) {
    news.push({ ...about, kind: 'lost', ...withDatabases(missingOf(gaps.lost), gaps), newest, run, again: false });
  }
  if (before.arrears !== undefined && gaps.lasting === undefined && newest !== undefined) {
    news.push({ ...about, kind: 'caught up', missing: before.arrears, newest });
  }
  if (gaps.open.length === 0 && gaps.lasting === undefined) {
    return { news, watch: { tagsHash: tags.hash, next, newest } };
  }
  const missing = missingOf(gaps.open, gaps.lasting);
  const kind = run.status === 'going' ? 'late' : 'overdue';
  const isNews = gaps.open.length > 0 || (kind === 'overdue' && gaps.lasting?.kind === 'late');
  const earlier = gaps.lasting?.reported;
  const reported = isNews || earlier === undefined || isADayAgo(earlier, now) ? now.toISOString() : earlier;
  if (reported !== earlier) {
    news.push({ ...about, kind, ...withDatabases(missing, gaps), newest, run, again: !isNews });
  }
  return { news, watch: { tagsHash: tags.hash, next, newest, arrears: { ...missing, kind, reported } } };
}

function withDatabases(missing: Missing, { incomplete }: Gaps): { missing: Missing; incomplete?: Incomplete } {
  const last = incomplete.get(missing.last);
  return { missing, ...(last && { incomplete: last }) };
}

function isADayAgo(reported: string, now: Date): boolean {
  return now.getTime() - Date.parse(reported) >= DAY_MS;
}

function missingOf(times: readonly string[], earlier?: Missing): Missing {
  return {
    first: earlier?.first ?? times[0] ?? '',
    last: times.at(-1) ?? earlier?.last ?? '',
    count: (earlier?.count ?? 0) + times.length,
  };
}

/**
 * Assesses a secret whose tags cannot be followed. The scan that finds it reports it at once; this reminds of it daily.
 */
export function assessBroken(
  about: About,
  before: RunsWatch | undefined,
  { tags, reason }: Owing & { kind: 'broken' },
  now: Date,
): Assessment {
  const reported = before?.tagsHash === tags.hash ? before.brokenReported : undefined;
  const isDue = reported !== undefined && isADayAgo(reported, now);
  return {
    news: isDue ? [{ ...about, kind: 'broken tags', reason }] : [],
    watch: {
      tagsHash: tags.hash,
      newest: before?.newest,
      brokenReported: isDue || reported === undefined ? now.toISOString() : reported,
    },
  };
}
