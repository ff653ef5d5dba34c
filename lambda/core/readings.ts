import type { CronFieldCollection } from 'cron-parser';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * What a clock reads when a cron expression is due, strictly after a reading, in order and without end. Readings are
 * milliseconds counted as if the clock were in UTC.
 *
 * cron-parser can count too, but reads a clock anew for each day that it passes, which makes a scan of many secrets
 * slow. It refuses expressions that no day fulfils, so that the next reading is eight years away at most (29 February).
 */
export function* readingsAfter(cron: CronFieldCollection, reading: number): Generator<number, never> {
  for (let day = Math.floor(reading / DAY) * DAY; ; day += DAY) {
    if (!isOnDay(cron, new Date(day))) {
      continue;
    }
    for (const hour of cron.hour.values) {
      for (const minute of cron.minute.values) {
        const next = day + hour * HOUR + minute * MINUTE;
        if (next > reading) {
          yield next;
        }
      }
    }
  }
}

/** If both day of month and day of week are restricted, either one counts. */
function isOnDay({ month, dayOfMonth, dayOfWeek }: CronFieldCollection, day: Date): boolean {
  if (!month.values.some((number) => number === day.getUTCMonth() + 1)) {
    return false;
  }
  const onDate = dayOfMonth.values.some((number) => number === day.getUTCDate());
  const onWeekday = dayOfWeek.values.some((number) => number === day.getUTCDay());
  return dayOfMonth.isWildcard || dayOfWeek.isWildcard ? onDate && onWeekday : onDate || onWeekday;
}
