import { type Purpose, type SecretStatus, type State, TROUBLE } from '../../../contract.ts';
import { formatWhen } from '../execution-name.ts';
import type { Run } from '../freshness/assessment.ts';
import { whenOf } from '../freshness/dump-key.ts';
import type { DrillWatch, Incomplete, Watch } from '../freshness/memory.ts';
import type { ListedSecret } from '../freshness/owing.ts';
import { nextTime, type Schedule } from '../schedule/schedule.ts';
import { readTags } from '../tags.ts';
import { databasesInWords } from '../words/databases.ts';
import { onOneLine } from '../words/one-line.ts';
import { inWords } from './schedule-words.ts';

/** How many names of databases a reason says. */
const MAX_NAMES = 5;

const ENDS = { failed: 'failed', 'timed out': 'timed out', stopped: 'was stopped' } as const;

/** What a check found out about the dumps or the drills of a secret, beside what it remembers. */
export type Finding =
  | {
      readonly kind: 'checked';
      readonly schedule: Schedule;
      /** Whether the newest is older than the schedule asks for. */
      readonly isOld: boolean;
      /** That of the last missing dump or drill. */
      readonly run?: Run;
    }
  | { readonly kind: 'broken'; readonly reason: string }
  /** The check could not look at it. */
  | { readonly kind: 'unchecked'; readonly reason: string };

/** A secret on a schedule, and what is known of it. */
export interface KnownSecret {
  readonly secret: ListedSecret;
  /** Absent if nothing is known, since the first check of it failed. */
  readonly watch?: Watch | undefined;
  /** That of its dumps; absent if they are not on a schedule. */
  readonly finding?: Finding | undefined;
  /** The same of its drills; absent if they are not on a schedule. */
  readonly drills?: { readonly watch?: DrillWatch | undefined; readonly finding: Finding } | undefined;
}

/** The status of a secret. */
export function entryOf({ secret, watch, finding, drills }: KnownSecret, now: Date): SecretStatus {
  const { arrears, searched, sizes = [], manifest, vanished } = watch ?? {};
  return {
    secret: secret.name,
    secretArn: secret.arn,
    ...worstOf(
      finding === undefined ? { state: 'drills only' } : standingOf(finding, watch),
      vanished && { state: 'rows vanished' },
      drills && drillStandingOf(drills),
    ),
    ...scheduleOf(secret, finding, now),
    missing: arrears && { first: arrears.first, last: arrears.last, count: arrears.count },
    searched: searched && formatWhen(new Date(searched)),
    newest: watch && newestOf(watch),
    manifest,
    vanished,
    sizes,
    ...(drills && drillsOf(secret, drills, now)),
  };
}

function newestOf({ newest, others, incomplete, sizes = [] }: Watch): SecretStatus['newest'] {
  if (newest === undefined) {
    return undefined;
  }
  const count = 1 + (others?.length ?? 0);
  return {
    ...newest,
    scheduledFor: whenOf(newest.key) ?? '',
    bytes: sizes.at(-1) ?? 0,
    ...(others && { databases: incomplete ?? { dumped: count, expected: count, missing: [] } }),
  };
}

type Standing = Pick<SecretStatus, 'state' | 'reason' | 'execution'>;

/** The trouble of dumps, or else that of their rows or of drills, or else what is known of the dumps. */
function worstOf(dumps: Standing, rows: Standing | undefined, drills: Standing | undefined): Standing {
  return TROUBLE.includes(dumps.state) ? dumps : (rows ?? drills ?? dumps);
}

/** Undefined if its drills are in no trouble. */
function drillStandingOf({ watch, finding }: NonNullable<KnownSecret['drills']>): Standing | undefined {
  if (finding.kind === 'broken') {
    return { state: 'broken tag', reason: `Of its drills: ${onOneLine(finding.reason)}` };
  }
  if (finding.kind === 'unchecked') {
    return { state: 'unchecked', reason: onOneLine(finding.reason) };
  }
  const { arrears, evidence } = watch ?? {};
  const run: Run = finding.run ?? { status: 'none' };
  if (arrears !== undefined && run.status !== 'going') {
    const execution = run.status === 'none' ? undefined : run.execution;
    return { state: 'drill overdue', reason: reasonOf(run, 'drill'), execution };
  }
  return evidence?.verdict === undefined || evidence.verdict === 'equal'
    ? undefined
    : { state: 'drill failed', reason: `The verdict is ${evidence.verdict}: ${evidence.reason ?? ''}` };
}

function drillsOf(
  { tags }: ListedSecret,
  { watch, finding }: NonNullable<KnownSecret['drills']>,
  now: Date,
): Pick<SecretStatus, 'drills' | 'drill'> {
  const { arrears, evidence } = watch ?? {};
  const { verdict, finishedAt, seconds, tables, problem } = evidence ?? {};
  const schedule = finding.kind === 'checked' ? finding.schedule : undefined;
  const { schedule: expression = '', timezone = '' } = readTags(tags, 'drill') ?? {};
  return {
    drills: {
      expression,
      timezone,
      words: schedule && inWords(schedule.cron),
      next: schedule && formatWhen(nextTime(schedule, now)),
      missing: arrears && { first: arrears.first, last: arrears.last, count: arrears.count },
      problem,
    },
    drill: verdict === undefined || finishedAt === undefined ? undefined : { verdict, finishedAt, seconds, tables },
  };
}

function standingOf(finding: Finding, watch: Watch | undefined): Standing {
  if (finding.kind === 'unchecked') {
    return { state: 'unchecked', reason: onOneLine(finding.reason) };
  }
  if (finding.kind === 'broken') {
    return { state: 'broken tag', reason: onOneLine(finding.reason) };
  }
  if (watch?.arrears === undefined) {
    return { state: watch?.newest === undefined ? 'no dump' : finding.isOld ? 'old dump' : 'fresh' };
  }
  const run: Run = finding.run ?? { status: 'none' };
  const execution = run.status === 'none' ? undefined : run.execution;
  const part = partOf(watch);
  const partly = part === undefined ? '' : `${databasesInWords(part, MAX_NAMES)}. `;
  return { state: stateOf(run), reason: `${partly}${reasonOf(run, 'dump')}`, execution };
}

/** What the last missing run has, if it has dumped some of its databases. */
function partOf({ arrears, newest, incomplete }: Watch): Incomplete | undefined {
  return arrears !== undefined && arrears.last === whenOf(newest?.key ?? '') ? incomplete : undefined;
}

/** The state of a secret whose last missing dump was that of a run. */
function stateOf({ status }: Run): State {
  switch (status) {
    case 'going':
      return 'late';
    case 'failed':
    case 'timed out':
      return 'failing';
    case 'none':
    case 'stopped':
    case 'succeeded':
      return 'overdue';
  }
}

function reasonOf(run: Run, purpose: Purpose): string {
  switch (run.status) {
    case 'none':
      return `There is no run for ${purpose === 'dump' ? 'it' : 'its drill'}.`;
    case 'going':
      return 'Its run is still going.';
    default: {
      const its = purpose === 'dump' ? 'Its run' : 'The run of its drill';
      const end = run.status === 'succeeded' ? `${its} made no ${purpose}` : `${its} ${ENDS[run.status]}`;
      return run.reason === undefined ? `${end}.` : `${end}: ${onOneLine(run.reason)}`;
    }
  }
}

function scheduleOf(
  { tags }: ListedSecret,
  finding: Finding | undefined,
  now: Date,
): Pick<SecretStatus, 'schedule' | 'next'> {
  if (finding === undefined) {
    return {};
  }
  const { schedule: expression = '', timezone = '' } = readTags(tags) ?? {};
  if (finding.kind !== 'checked') {
    return { schedule: { expression, timezone } };
  }
  const { schedule } = finding;
  return {
    schedule: { expression, timezone, words: inWords(schedule.cron) },
    next: formatWhen(nextTime(schedule, now)),
  };
}
