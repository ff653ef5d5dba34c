import type { SecretStatus, State } from '../../../contract.ts';
import { formatWhen } from '../execution-name.ts';
import type { Run } from '../freshness/assessment.ts';
import { whenOf } from '../freshness/dump-key.ts';
import type { Watch } from '../freshness/memory.ts';
import type { ListedSecret } from '../freshness/owing.ts';
import { nextTime, type Schedule } from '../schedule/schedule.ts';
import { readTags } from '../tags.ts';
import { onOneLine } from '../words/one-line.ts';
import { inWords } from './schedule-words.ts';

const ENDS = { failed: 'failed', 'timed out': 'timed out', stopped: 'was stopped' } as const;

/** What a check found out about a secret, beside what it remembers. */
export type Finding =
  | {
      readonly kind: 'checked';
      readonly schedule: Schedule;
      /** Whether its newest dump is older than the schedule asks for. */
      readonly isOld: boolean;
      /** That of the last missing dump. */
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
  readonly finding: Finding;
}

/** The status of a secret. */
export function entryOf({ secret, watch, finding }: KnownSecret, now: Date): SecretStatus {
  const { arrears, searched, newest, sizes = [], manifest } = watch ?? {};
  return {
    secret: secret.name,
    secretArn: secret.arn,
    ...standingOf(finding, watch),
    ...scheduleOf(secret, finding, now),
    missing: arrears && { first: arrears.first, last: arrears.last, count: arrears.count },
    searched: searched && formatWhen(new Date(searched)),
    newest: newest && { ...newest, scheduledFor: whenOf(newest.key) ?? '', bytes: sizes.at(-1) ?? 0 },
    manifest,
    sizes,
  };
}

function standingOf(finding: Finding, watch: Watch | undefined): Pick<SecretStatus, 'state' | 'reason' | 'execution'> {
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
  return { state: stateOf(run), reason: reasonOf(run), execution };
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

function reasonOf(run: Run): string {
  switch (run.status) {
    case 'none':
      return 'There is no run for it.';
    case 'going':
      return 'Its run is still going.';
    default: {
      const end = run.status === 'succeeded' ? 'Its run made no dump' : `Its run ${ENDS[run.status]}`;
      return run.reason === undefined ? `${end}.` : `${end}: ${onOneLine(run.reason)}`;
    }
  }
}

function scheduleOf({ tags }: ListedSecret, finding: Finding, now: Date): Pick<SecretStatus, 'schedule' | 'next'> {
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
