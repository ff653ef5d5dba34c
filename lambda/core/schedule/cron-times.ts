import type { Cron } from './cron.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The wall-clock times at which a cron expression is due, strictly after a given one, in order and without end.
 * Wall-clock times are milliseconds since 1970, as if the clock were in UTC.
 *
 * Expressions that match no day are refused, so the next time is at most eight years away (29 February).
 */
export function* wallTimesAfter(cron: Cron, after: number): Generator<number, never> {
  for (let day = Math.floor(after / DAY) * DAY; ; day += DAY) {
    if (!isOnDay(cron, new Date(day))) {
      continue;
    }
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        const next = day + hour * HOUR + minute * MINUTE;
        if (next > after) {
          yield next;
        }
      }
    }
  }
}

/** As in cron: if both day of month and day of week are restricted, matching either is enough. */
function isOnDay({ months, dates, weekdays, eitherDay }: Cron, day: Date): boolean {
  if (!months.includes(day.getUTCMonth() + 1)) {
    return false;
  }
  const onDate = dates.includes(day.getUTCDate());
  const onWeekday = weekdays.includes(day.getUTCDay());
  return eitherDay ? onDate || onWeekday : onDate && onWeekday;
}
