import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionInput, Purpose } from '../../contract.ts';
import {
  assess,
  assessBroken,
  type Assessment,
  type Found,
  gapsOf,
  type News,
  type Run,
  runToAskFor,
} from '../core/freshness/assessment.ts';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import { historyOf } from '../core/freshness/history.ts';
import type { Arrears, DrillWatch, RunsWatch, Watch } from '../core/freshness/memory.ts';
import { isOld, type ListedSecret, type Owing, owingOf, type Terms } from '../core/freshness/owing.ts';
import type { Finding } from '../core/status/entry.ts';
import { readTags } from '../core/tags.ts';
import { lasting } from '../core/vanished/lasting.ts';
import { limitsOf } from '../core/vanished/limits.ts';
import { findDumps, type FoundRuns } from './dumps.ts';
import { describeRun } from './runs.ts';

/**
 * If none of a secret's dumps was due for this long, they are searched for nevertheless: the newest may have expired,
 * or one may have been made on request. Daily schedules never reach it, not even when the clock is shifted.
 */
const SEARCH_AGAIN_MS = 30 * 60 * 60_000;

/** Clients and settings that the checks of all secrets share. */
export interface CheckContext {
  readonly s3: S3Client;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly buckets: readonly string[];
  readonly terms: Terms;
  readonly now: Date;
}

/** What is remembered of a secret. */
export interface Remembered {
  readonly dump: Watch | undefined;
  readonly drill: DrillWatch | undefined;
}

/** What a check of a secret found out. */
export interface CheckedSecret {
  /** Of its dumps; absent if they are not on a schedule. */
  readonly dump?: CheckedRuns<Watch> & {
    /** Bytes of each dump that was not there at the last search. */
    readonly added: readonly number[];
  };
  /** The same of its drills. */
  readonly drill?: CheckedRuns<DrillWatch>;
}

interface CheckedRuns<W> {
  readonly news: readonly News[];
  /** What to remember; undefined if nothing is known, since the first check failed. */
  readonly watch: W | undefined;
  readonly finding: Finding;
}

/** What is known of a secret that a check could not look at. */
export function uncheckedSecret({ tags }: ListedSecret, { dump, drill }: Remembered, reason: string): CheckedSecret {
  const finding: Finding = { kind: 'unchecked', reason };
  return {
    ...(readTags(tags, 'dump') && { dump: { news: [], watch: dump, finding, added: [] } }),
    ...(readTags(tags, 'drill') && { drill: { news: [], watch: drill, finding } }),
  };
}

interface Assessed extends Assessment {
  readonly finding: Finding;
}

/** Whose runs are assessed: those of a secret that is on a schedule for them. */
interface Subject {
  readonly secret: ListedSecret;
  readonly owing: Exclude<Owing, { kind: 'nothing' }>;
  /** Those that last. Tags owe nothing for the time before them. */
  readonly arrears: Arrears | undefined;
}

/** Checks whether the dumps that a secret owes by now are there, and the evidence of its drills. */
export async function checkSecret(
  secret: ListedSecret,
  remembered: Remembered,
  context: CheckContext,
): Promise<CheckedSecret> {
  const [dumps, drills] = [
    subjectOf(secret, 'dump', remembered.dump, context),
    subjectOf(secret, 'drill', remembered.drill, context),
  ];
  const wanted = { dump: wantedOf(dumps), drill: wantedOf(drills) };
  const isForDumps = dumps !== undefined && needsSearch(dumps.owing, wanted.dump, remembered.dump, context);
  const found =
    isForDumps || wanted.drill.length > 0
      ? await search(secret.name, wanted, isForDumps, remembered.dump, context)
      : undefined;
  return {
    ...(dumps && { dump: await checkDumps(dumps, remembered.dump, found?.dump, isForDumps, context) }),
    ...(drills && { drill: await checkDrills(drills, remembered.drill, found?.drill, context) }),
  };
}

function subjectOf(
  secret: ListedSecret,
  purpose: Purpose,
  watch: RunsWatch | undefined,
  { now, terms }: CheckContext,
): Subject | undefined {
  const owing = owingOf(secret, purpose, watch, now, terms);
  return owing.kind === 'nothing'
    ? undefined
    : { secret, owing, arrears: watch?.tagsHash === owing.tags.hash ? watch.arrears : undefined };
}

function wantedOf(subject: Subject | undefined): readonly string[] {
  return subject?.owing.kind === 'runs'
    ? [...(subject.arrears ? [subject.arrears.last] : []), ...subject.owing.due]
    : [];
}

function needsSearch(
  owing: Owing,
  wanted: readonly string[],
  { newest, searched }: Partial<Watch> = {},
  { terms, now }: CheckContext,
): boolean {
  return (
    wanted.length > 0 ||
    searched === undefined ||
    now.getTime() - Date.parse(searched) >= SEARCH_AGAIN_MS ||
    // A newer one may have come that was not owed.
    (owing.kind === 'runs' && isOld(newest, owing.schedule, now, terms))
  );
}

async function search(
  secretName: string,
  wanted: Readonly<Record<Purpose, readonly string[]>>,
  isForDumps: boolean,
  { newest, sizes }: Partial<Watch> = {},
  { s3, buckets }: CheckContext,
): Promise<FoundRuns> {
  // All dumps are listed if that is what is needed, and once without their sizes.
  const isForAll = sizes === undefined || (isForDumps && wanted.dump.length === 0);
  return await findDumps(s3, buckets, { secretName, wanted, known: isForAll ? undefined : newest });
}

async function checkDumps(
  subject: Subject,
  remembered: Watch | undefined,
  found: Found | undefined,
  isSearch: boolean,
  context: CheckContext,
): Promise<NonNullable<CheckedSecret['dump']>> {
  const newest = found === undefined ? remembered?.newest : found.newest;
  const history = found === undefined ? undefined : historyOf(remembered, found);
  const assessed = await assessRuns('dump', subject, remembered, newest, found, context);
  const watch: Watch = {
    ...assessed.watch,
    searched: isSearch ? context.now.toISOString() : remembered?.searched,
    sizes: history?.sizes ?? remembered?.sizes,
    manifest: remembered?.manifest,
    manifestRead: remembered?.manifestRead,
    compared: remembered?.compared,
    vanished: lasting(remembered?.vanished, limitsOf(subject.secret.tags), context.now),
  };
  return { ...assessed, watch, added: history?.added ?? [] };
}

/** A search may not go back to the evidence that is known, and that may have expired: what it said stays true. */
async function checkDrills(
  subject: Subject,
  remembered: DrillWatch | undefined,
  found: Found | undefined,
  context: CheckContext,
): Promise<NonNullable<CheckedSecret['drill']>> {
  const newest = laterOf(remembered?.newest, found?.newest);
  const assessed = await assessRuns('drill', subject, remembered, newest, found, context);
  const watch: DrillWatch = {
    ...assessed.watch,
    evidence: remembered?.evidence,
    evidenceRead: remembered?.evidenceRead,
  };
  return { ...assessed, watch };
}

function laterOf(one: StoredDump | undefined, other: StoredDump | undefined): StoredDump | undefined {
  return (whenOf(one?.key ?? '') ?? '') > (whenOf(other?.key ?? '') ?? '') ? one : other;
}

/** @param found undefined if nothing was looked for */
async function assessRuns(
  purpose: Purpose,
  { secret, owing, arrears }: Subject,
  remembered: RunsWatch | undefined,
  newest: StoredDump | undefined,
  found: Found | undefined,
  { stepFunctions, stateMachineArn, terms, now }: CheckContext,
): Promise<Assessed> {
  const { tags } = owing;
  const about = { secret: secret.name, timezone: tags.timezone, purpose };
  if (owing.kind === 'broken') {
    const finding: Finding = { kind: 'broken', reason: owing.reason };
    const { news, watch } = assessBroken(about, remembered, owing, now);
    return { news, watch: { ...watch, newest }, finding };
  }
  const { schedule, next } = owing;
  const before: RunsWatch = { tagsHash: tags.hash, newest, arrears };
  const finding = { kind: 'checked', schedule, isOld: isOld(newest, schedule, now, terms) } as const;
  if (found === undefined) {
    return { news: [], watch: { ...before, next }, finding };
  }
  const gaps = gapsOf(before, owing, found);
  const when = runToAskFor(gaps);
  const input = { secretArn: secret.arn, tagsHash: tags.hash };
  const run: Run =
    when === undefined
      ? { status: 'none' }
      : await describeRun(stepFunctions, stateMachineArn, inputOf(purpose, { ...input, when }));
  return { ...assess(about, before, owing, gaps, run, now), finding: { ...finding, run } };
}

/** Dumps are started without their purpose. */
function inputOf(purpose: Purpose, input: ExecutionInput): ExecutionInput {
  return purpose === 'drill' ? { ...input, purpose } : input;
}
