import { DateTime } from 'luxon';

/** A time in UTC and, if that is another, in the zone of the schedule. */
export function timeInWords(when: string, timezone: string): string {
  const local = DateTime.fromISO(when, { zone: timezone, locale: 'en' });
  return local.offset === 0 ? when : `${when} (${local.toFormat('ccc d LLL yyyy, HH:mm')} in ${timezone})`;
}
