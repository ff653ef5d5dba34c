import { hash } from 'node:crypto';
import { DEFAULT_TIMEZONE, lettersOf, SCHEDULE_TAG, TAG_PREFIX, TIMEZONE_TAG } from '../../contract.ts';

/** A tag in the format of the AWS SDK. */
export interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

/** The tags of a secret that AutoDump reads. */
export interface ScheduleTags {
  readonly schedule: string;
  readonly timezone: string;
  /** Identifies the tags' values: 32 hexadecimal digits. An execution makes its dump only if this is unchanged. */
  readonly hash: string;
  /** Identifies all of AutoDump's tags, in the same format. A secret is checked once with the same ones. */
  readonly hashOfAll: string;
}

/**
 * Reads AutoDump's tags; `undefined` if the secret is not on a schedule. Keys must match exactly, whereas the filters
 * of ListSecrets match prefixes.
 */
export function readTags(tags: readonly Tag[] = []): ScheduleTags | undefined {
  const value = (key: string) => tags.find((tag) => tag.Key === key)?.Value;
  if (!tags.some((tag) => tag.Key === SCHEDULE_TAG)) {
    return undefined;
  }
  const schedule = value(SCHEDULE_TAG) ?? '';
  const timezone = value(TIMEZONE_TAG) ?? DEFAULT_TIMEZONE;
  const all = tags.flatMap(({ Key = '', Value = '' }) => (Key.startsWith(TAG_PREFIX) ? [[Key, Value] as const] : []));
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { schedule, timezone, hash: hashOf([schedule, timezone]), hashOfAll: hashOf(sorted) };
}

function hashOf(values: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(values)).slice(0, 32);
}

/**
 * Says which key would be ignored, although it was surely meant for the time zone, such as `autodump:Time-Zone`, or, if
 * there is none, for the schedule; `undefined` if none would.
 */
export function misspelledTag(tags: readonly Tag[] = []): string | undefined {
  const keys = tags.map(({ Key = '' }) => Key);
  const meant = keys.includes(SCHEDULE_TAG) ? TIMEZONE_TAG : SCHEDULE_TAG;
  const key = keys.find((each) => each !== meant && lettersOf(each) === lettersOf(meant));
  return key === undefined ? undefined : `the tag "${key}" must be written ${meant}`;
}
