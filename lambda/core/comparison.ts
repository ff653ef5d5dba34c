import { type Comparison, type HashInput, SCHEDULE_TAGS } from '../../contract.ts';
import type { SecretDescription } from './decision.ts';
import { InvalidSchedule } from './schedule/invalid-schedule.ts';
import { isDue, parseSchedule } from './schedule/schedule.ts';
import { readTags, type ScheduleTags } from './tags.ts';

/** The clocks of Lambda and Step Functions may differ by seconds. */
const SHORT_WAIT_MS = 10_000;

/**
 * Compares the current state of a secret (`undefined` if it no longer exists) with the tags and the time that its run
 * was started for. Only if they are unchanged its job runs; a new schedule has an execution of its own.
 */
export function compare(
  secret: SecretDescription | undefined,
  { tagsHash, when, purpose = 'dump', started }: Omit<HashInput, 'secretArn'>,
): Comparison {
  if (!secret) {
    return { outcome: 'gone', reason: 'The secret no longer exists.' };
  }
  if (secret.DeletedDate) {
    return { outcome: 'gone', reason: 'The secret is marked for deletion.' };
  }
  const tags = readTags(secret.Tags, purpose);
  if (!tags) {
    return { outcome: 'removed', reason: `The tag ${SCHEDULE_TAGS[purpose]} was removed from the secret.` };
  }
  if (tags.hash !== tagsHash) {
    return {
      outcome: 'changed',
      reason: "The secret's schedule was changed; another execution serves the new one.",
    };
  }
  if (hasWaited(when, started) && hasMoved(tags, when)) {
    return {
      outcome: 'moved',
      reason: `The schedule is not due at ${when}. It was when this execution was started, so the rules of the time zone ${tags.timezone} must have changed.`,
    };
  }
  return { outcome: 'unchanged', reason: 'The schedule has not changed since this execution was started.' };
}

/**
 * Whether the rules of a time zone may have changed since an execution was started. One for this moment, or for an
 * earlier one, was started by hand: it need not be on the schedule.
 */
function hasWaited(when: string, started: string | undefined): boolean {
  return started === undefined || Date.parse(when) - Date.parse(started) > SHORT_WAIT_MS;
}

/** A schedule that is no longer valid is left to whoever works out its next run, and reports it. */
function hasMoved({ schedule, timezone }: ScheduleTags, when: string): boolean {
  try {
    return !isDue(parseSchedule(schedule, timezone), new Date(when));
  } catch (error) {
    if (error instanceof InvalidSchedule) {
      return false;
    }
    throw error;
  }
}
