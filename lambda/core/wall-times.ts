import type { CronFieldCollection } from 'cron-parser';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The wall-clock times at which a cron expression is due, strictly after a given one, in order and without end. Wall-clock
 * times are milliseconds since 1970, as if the clock were in UTC.
 *
 * cron-parser can iterate too, but computes the zone's offset for each day that it passes, which makes a scan of many
 * secrets slow. It refuses expressions that match no day, so the next time is at most eight years away (29 February).
 */
export function* wallTimesAfter(cron: CronFieldCollection, after: number): Generator<number, never> {
  for (let day = Math.floor(after / DAY) * DAY; ; day += DAY) {
    if (!isOnDay(cron, new Date(day))) {
      continue;
    }
    for (const hour of cron.hour.values) {
      for (const minute of cron.minute.values) {
        const next = day + hour * HOUR + minute * MINUTE;
        if (next > after) {
          yield next;
        }
      }
    }
  }
}

/** As in cron: if both day of month and day of week are restricted, matching either is enough. */
function isOnDay({ month, dayOfMonth, dayOfWeek }: CronFieldCollection, day: Date): boolean {
  if (!month.values.some((number) => number === day.getUTCMonth() + 1)) {
    return false;
  }
  const onDate = dayOfMonth.values.some((number) => number === day.getUTCDate());
  const onWeekday = dayOfWeek.values.some((number) => number === day.getUTCDay());
  return dayOfMonth.isWildcard || dayOfWeek.isWildcard ? onDate && onWeekday : onDate || onWeekday;
}
