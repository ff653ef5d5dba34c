import { hash } from 'node:crypto';
import { DEFAULT_TIMEZONE, SCHEDULE_TAG, TIMEZONE_TAG } from '../../contract.ts';

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
}

/**
 * Reads AutoDump's tags; `undefined` if the secret is not on a schedule. Keys must match exactly, whereas the filters of
 * ListSecrets match prefixes.
 */
export function readTags(tags: readonly Tag[] = []): ScheduleTags | undefined {
  const value = (key: string) => tags.find((tag) => tag.Key === key)?.Value;
  if (!tags.some((tag) => tag.Key === SCHEDULE_TAG)) {
    return undefined;
  }
  const schedule = value(SCHEDULE_TAG) ?? '';
  const timezone = value(TIMEZONE_TAG) ?? DEFAULT_TIMEZONE;
  return { schedule, timezone, hash: hash('sha256', JSON.stringify([schedule, timezone])).slice(0, 32) };
}

/** Keys that would be ignored, although they were surely meant for the time zone, such as `autodump:Time-Zone`. */
export function misspelledTags(tags: readonly Tag[] = []): readonly string[] {
  return tags.flatMap(({ Key = '' }) =>
    Key !== TIMEZONE_TAG && Key.toLowerCase().replace(/[ _-]/g, '') === TIMEZONE_TAG ? [Key] : [],
  );
}
