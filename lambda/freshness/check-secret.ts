import type { ExecutionInput, Purpose } from '../../contract.ts';
import {
  assess,
  assessBroken,
  type Assessment,
  gapsOf,
  type News,
  type Run,
  runToAskFor,
} from '../core/freshness/assessment.ts';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import { type Found, type FoundObjects, foundOf } from '../core/freshness/found.ts';
import { historyOf } from '../core/freshness/history.ts';
import type { Arrears, DrillWatch, RunsWatch, Watch } from '../core/freshness/memory.ts';
import { isOld, type ListedSecret, type Owing, owingOf, owingSince } from '../core/freshness/owing.ts';
import type { Finding } from '../core/status/entry.ts';
import { readTags } from '../core/tags.ts';
import { lasting } from '../core/vanished/lasting.ts';
import { limitsOf } from '../core/vanished/limits.ts';
import type { CheckContext } from './check-context.ts';
import { type ProvenRuns, provenRuns } from './completeness.ts';
import { hasSeveral } from './dumps.ts';
import { describeRun } from './runs.ts';
import { isOfSeveral, isUnproven, needsSearch, search } from './search.ts';

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
    withUnproven(subjectOf(secret, 'dump', remembered.dump, context), remembered.dump),
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
    ...(drills && { drill: await checkDrills(drills, remembered, found?.drill, context) }),
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

/** An unproven run may lack databases: it is owed as well. */
function withUnproven(subject: Subject | undefined, watch: Watch | undefined): Subject | undefined {
  if (subject?.owing.kind !== 'runs' || !isUnproven(watch) || watch?.tagsHash !== subject.owing.tags.hash) {
    return subject;
  }
  return { ...subject, owing: owingSince(subject.owing, whenOf(watch.newest?.key ?? '') ?? '') };
}

function wantedOf(subject: Subject | undefined): readonly string[] {
  return subject?.owing.kind === 'runs'
    ? [...(subject.arrears ? [subject.arrears.last] : []), ...subject.owing.due]
    : [];
}

async function checkDumps(
  subject: Subject,
  remembered: Watch | undefined,
  listed: FoundObjects | undefined,
  isSearch: boolean,
  context: CheckContext,
): Promise<NonNullable<CheckedSecret['dump']>> {
  const runs = listed && (await runsOf(subject, remembered, listed, context));
  const found = runs && foundOf(runs.objects, runs.incomplete);
  const newest = found === undefined ? remembered?.newest : found.newest;
  const history = found === undefined ? undefined : historyOf(remembered, found);
  const assessed = await assessRuns('dump', subject, remembered, newest, found, context);
  const watch: Watch = {
    ...assessed.watch,
    others: found === undefined ? remembered?.others : runs?.isOfSeveral ? found.others : undefined,
    incomplete: found === undefined ? remembered?.incomplete : found.incomplete.get(whenOf(newest?.key ?? '') ?? ''),
    searched: isSearch ? context.now.toISOString() : remembered?.searched,
    sizes: history?.sizes ?? remembered?.sizes,
    manifest: remembered?.manifest,
    manifestRead: remembered?.manifestRead,
    compared: runs?.isOfSeveral ? stillThere(remembered?.compared, listed) : remembered?.compared,
    vanished: lasting(remembered?.vanished, limitsOf(subject.secret.tags), context.now),
  };
  return { ...assessed, watch, added: history?.added ?? [] };
}

/** Of a database that was dropped, no dump is to be compared any more once its last one has expired. */
function stillThere(dumps: readonly StoredDump[] | undefined, listed: FoundObjects | undefined): Watch['compared'] {
  const keys = new Set([...(listed?.values() ?? [])].flatMap((ofRun) => ofRun.map(({ key }) => key)));
  return dumps?.filter(({ key }) => keys.has(key));
}

/** What the runs of a secret have left; with several databases, proven by their manifests. */
async function runsOf(
  { secret, owing, arrears }: Subject,
  remembered: Watch | undefined,
  objects: FoundObjects,
  context: CheckContext,
): Promise<ProvenRuns> {
  if (!isOfSeveral(remembered) && !hasSeveral(objects)) {
    return { objects, incomplete: new Map(), isOfSeveral: false };
  }
  const wanted = wantedOf({ secret, owing, arrears });
  return await provenRuns(objects, { secretArn: secret.arn, tagsHash: owing.tags.hash, wanted, arrears }, context);
}

/** A search may not go back to the evidence that is known, and that may have expired: what it said stays true. */
async function checkDrills(
  subject: Subject,
  { dump, drill: remembered }: Remembered,
  listed: FoundObjects | undefined,
  context: CheckContext,
): Promise<NonNullable<CheckedSecret['drill']>> {
  // Of a secret that is not dumped, it is not known whether it has several databases.
  const mayBeOfSeveral = dump === undefined || isOfSeveral(dump);
  const found = listed && foundOf(mayBeOfSeveral ? await endedDrills(subject, listed, context) : listed);
  const { newest, others = [] } = laterOf(remembered, found) ?? {};
  const assessed = await assessRuns('drill', subject, remembered, newest, found, context);
  const watch: DrillWatch = {
    ...assessed.watch,
    others: others.length === 0 ? undefined : others,
    evidence: remembered?.evidence,
    evidenceRead: remembered?.evidenceRead,
  };
  return { ...assessed, watch };
}

/** Without the evidence of a drill that is wanted and still going: that of other databases is to come. */
async function endedDrills(
  subject: Subject,
  listed: FoundObjects,
  { stepFunctions, stateMachineArn }: CheckContext,
): Promise<FoundObjects> {
  const ended = new Map(listed);
  const input = { secretArn: subject.secret.arn, tagsHash: subject.owing.tags.hash };
  for (const when of wantedOf(subject).filter((time) => listed.has(time))) {
    const { status } = await describeRun(stepFunctions, stateMachineArn, inputOf('drill', { ...input, when }));
    if (status === 'going') {
      ended.delete(when);
    }
  }
  return ended;
}

type NewestOfRun = Pick<RunsWatch, 'newest' | 'others'>;

function laterOf(one: NewestOfRun | undefined, other: NewestOfRun | undefined): NewestOfRun | undefined {
  return (whenOf(one?.newest?.key ?? '') ?? '') > (whenOf(other?.newest?.key ?? '') ?? '') ? one : other;
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
