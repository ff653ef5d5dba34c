import { ACCOUNT, REGION } from '../../local/assembly/account.ts';
import type { Secret } from './secret-history.ts';

const DAY = 24 * 60 * 60_000;

/**
 * A secret with a daily schedule that was tagged the day before an instant, and never changes.
 *
 * @param drills their schedule; undefined if there are none
 */
export function dailySecret(
  index: number,
  schedule: string,
  timezone: string,
  instant: number,
  drills?: string,
): Secret {
  const name = `db-${index}`;
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-a1B2c3`;
  const tags = { schedule, timezone, valid: true };
  const state = {
    from: instant - DAY,
    exists: true,
    tags,
    drillTag: drills === undefined ? undefined : { schedule: drills, valid: true },
    deletion: undefined,
    replicated: false,
  };
  return { index, name, arn, primaryRegion: undefined, events: [], states: [state, state] };
}

/** The schedule of one of many secrets whose schedules are spread evenly over the day. */
export function spreadSchedule(index: number): string {
  return `${index % 60} ${Math.floor(index / 60) % 24} * * *`;
}
