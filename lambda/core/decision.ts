import type { CheckInput, ExecutionInput, Purpose } from '../../contract.ts';
import { formatWhen, secretRegion } from './execution-name.ts';
import type { Memo } from './memo.ts';
import { InvalidSchedule } from './schedule/invalid-schedule.ts';
import { nextTime, parseSchedule } from './schedule/schedule.ts';
import { misspelledTag, readTags, type ScheduleTags, type Tag } from './tags.ts';

/** A secret without its value: the fields that DescribeSecret and ListSecrets share. */
export interface SecretDescription {
  readonly ARN: string;
  readonly Tags?: readonly Tag[];
  readonly DeletedDate?: Date;
  /** Set on replicas and on their primaries: the Region of the primary. */
  readonly PrimaryRegion?: string;
}

interface Scheduled {
  /** IANA name of the schedule's time zone. */
  readonly timezone: string;
  /** Input of a check that can also say what the schedule of dumps means; drills have none. */
  readonly check?: CheckInput;
}

/** What to do for a secret. Reasons are written to the log. */
export type Decision =
  | ({ readonly kind: 'start'; readonly input: ExecutionInput } & Scheduled)
  | ({ readonly kind: 'later'; readonly when: string; readonly reason: string } & Scheduled)
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string };

const MINUTE = 60_000;

/**
 * A run further away than this is left to a later scan. Step Functions ends an execution after a year, and after the
 * wait its job may still take three attempts of a week and six hours of waiting for capacity.
 */
const MAX_WAIT_MS = 340 * 24 * 60 * MINUTE;

/**
 * Decides for a scan: start the next run of a secret that is at least a minute away, unless the memo has that run or an
 * earlier one, which will reschedule itself.
 */
export function decide(
  secret: SecretDescription,
  purpose: Purpose,
  now: Date,
  memo: Memo,
): Decision | { readonly kind: 'waiting'; readonly when: string } {
  const eligibility = eligibilityOf(secret, purpose);
  if (eligibility.kind !== 'scheduled') {
    return eligibility;
  }
  const { tags } = eligibility;
  const when = memo.nextStarted({ secretArn: secret.ARN, tagsHash: tags.hash, purpose }, now);
  return when === undefined
    ? decideAfter(secret.ARN, tags, now, new Date(now.getTime() + MINUTE - 1))
    : { kind: 'waiting', when };
}

/** Decides for the run after the one at `previous`. Runs that are already in the past are not made up for. */
export function decideFollowing(secret: SecretDescription, purpose: Purpose, previous: Date, now: Date): Decision {
  const eligibility = eligibilityOf(secret, purpose);
  return eligibility.kind !== 'scheduled'
    ? eligibility
    : decideAfter(secret.ARN, eligibility.tags, now, new Date(Math.max(previous.getTime(), now.getTime())));
}

/** Decides for a dump at this moment, which the schedule need not have. */
export function decideNow(
  secret: SecretDescription,
  now: Date,
): Extract<Decision, { kind: 'skip' | 'invalid' }> | { readonly kind: 'start'; readonly input: ExecutionInput } {
  const eligibility = eligibilityOf(secret, 'dump');
  return eligibility.kind !== 'scheduled'
    ? eligibility
    : { kind: 'start', input: { secretArn: secret.ARN, tagsHash: eligibility.tags.hash, when: formatWhen(now) } };
}

/** Whether a secret is on a schedule for a purpose in this Region. */
function eligibilityOf(
  secret: SecretDescription,
  purpose: Purpose,
): Extract<Decision, { kind: 'skip' | 'invalid' }> | { readonly kind: 'scheduled'; readonly tags: ScheduleTags } {
  const tags = readTags(secret.Tags, purpose);
  const misspelled = misspelledTag(secret.Tags, purpose);
  if (!tags) {
    return misspelled === undefined
      ? { kind: 'skip', reason: 'It is not on a schedule.' }
      : { kind: 'invalid', reason: misspelled };
  }
  if (secret.DeletedDate) {
    return { kind: 'skip', reason: 'It is marked for deletion.' };
  }
  if (secret.PrimaryRegion !== undefined && secret.PrimaryRegion !== secretRegion(secret.ARN)) {
    return { kind: 'skip', reason: `It is a replica; its dumps are made in ${secret.PrimaryRegion}.` };
  }
  if (misspelled !== undefined) {
    return { kind: 'invalid', reason: misspelled };
  }
  return { kind: 'scheduled', tags };
}

function decideAfter(secretArn: string, tags: ScheduleTags, now: Date, after: Date): Decision {
  try {
    const schedule = parseSchedule(tags.schedule, tags.timezone);
    const due = nextTime(schedule, after);
    const second = nextTime(schedule, due);
    const following = [second, nextTime(schedule, second)].map(formatWhen);
    const when = formatWhen(due);
    const run: ExecutionInput = { secretArn, tagsHash: tags.hash, when };
    const input: ExecutionInput = tags.purpose === 'drill' ? { ...run, purpose: tags.purpose } : run;
    const { timezone } = schedule;
    const check: CheckInput = { secretArn, allTagsHash: tags.hashOfAll, when, following, timezone };
    const scheduled = tags.purpose === 'dump' ? { timezone, check } : { timezone };
    if (due.getTime() - now.getTime() > MAX_WAIT_MS) {
      const reason = `The next run, ${input.when}, is too far away to wait for; a later scan starts it.`;
      return { kind: 'later', when: input.when, reason, ...scheduled };
    }
    return { kind: 'start', input, ...scheduled };
  } catch (error) {
    if (error instanceof InvalidSchedule) {
      return { kind: 'invalid', reason: error.message };
    }
    throw error;
  }
}
