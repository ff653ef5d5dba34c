import { hash } from 'node:crypto';
import {
  DEFAULT_TIMEZONE,
  DRILL_TAG,
  lettersOf,
  type Purpose,
  SCHEDULE_TAGS,
  TAG_PREFIX,
  TIMEZONE_TAG,
} from '../../contract.ts';

/** A tag in the format of the AWS SDK. */
export interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

/** The tags of a secret that put its dumps or its drills on a schedule. */
export interface ScheduleTags {
  readonly purpose: Purpose;
  readonly schedule: string;
  readonly timezone: string;
  /** Identifies the tags' values: 32 hexadecimal digits. An execution runs its job only if this is unchanged. */
  readonly hash: string;
  /**
   * Identifies all of AutoDump's tags that a dump may depend on, in the same format. A secret is checked once with the
   * same ones.
   */
  readonly hashOfAll: string;
}

/**
 * Reads the tags for one purpose; `undefined` if the secret is not on a schedule for it. Keys must match exactly,
 * whereas the filters of ListSecrets match prefixes.
 */
export function readTags(tags: readonly Tag[] = [], purpose: Purpose = 'dump'): ScheduleTags | undefined {
  const value = (key: string) => tags.find((tag) => tag.Key === key)?.Value;
  const scheduleTag = SCHEDULE_TAGS[purpose];
  if (!tags.some((tag) => tag.Key === scheduleTag)) {
    return undefined;
  }
  const schedule = value(scheduleTag) ?? '';
  const timezone = value(TIMEZONE_TAG) ?? DEFAULT_TIMEZONE;
  const all = tags.flatMap(({ Key = '', Value = '' }) =>
    Key.startsWith(TAG_PREFIX) && Key !== DRILL_TAG ? [[Key, Value] as const] : [],
  );
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { purpose, schedule, timezone, hash: hashOf([schedule, timezone]), hashOfAll: hashOf(sorted) };
}

function hashOf(values: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(values)).slice(0, 32);
}

/**
 * Says which key would be ignored, although it was surely meant for the time zone of a schedule, such as
 * `autodump:Time-Zone`, or, if there is no schedule for the purpose, for that; `undefined` if none would.
 */
export function misspelledTag(tags: readonly Tag[] = [], purpose: Purpose = 'dump'): string | undefined {
  const keys = tags.map(({ Key = '' }) => Key);
  const scheduleTag = SCHEDULE_TAGS[purpose];
  const meant = keys.includes(scheduleTag) ? TIMEZONE_TAG : scheduleTag;
  const key = keys.find((each) => each !== meant && lettersOf(each) === lettersOf(meant));
  return key === undefined ? undefined : `the tag "${key}" must be written ${meant}`;
}

/** What a secret is on a schedule for, or would be if no tag were misspelled. */
export function purposesOf(tags: readonly Tag[] = []): readonly Purpose[] {
  const purposes: readonly Purpose[] = ['dump', 'drill'];
  return purposes.filter((one) => readTags(tags, one) !== undefined || misspelledTag(tags, one) !== undefined);
}
