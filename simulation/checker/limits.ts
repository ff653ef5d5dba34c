const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * By this time after a scheduled time all retries of comparing and submitting are over: each may be throttled for an
 * hour, besides seven or eight attempts of half a minute that fail otherwise.
 */
export const LATEST_START = 3 * HOUR;

/** By this time after a scheduled time an execution has ended: a job overruns by thirty hours at most. */
export const LATEST_END = 3 * DAY;

/** Runs further away may be left to later scans, since Step Functions ends an execution after a year. */
export const LONGEST_WAIT = 339 * DAY;

/** Runs further away must be left: a job with three attempts of a week could not end within the execution's year. */
export const LATEST_WAIT = (365 - 3 * 7 - 1) * DAY;

/** New tags owe no dump for a scan interval and ten minutes after they were first seen. */
export const GRACE = 70 * MINUTE;

/** A dump that is still missing is reported again after this time. */
export const REMINDER = DAY;

/** A check begins every hour, and the alarm on its heartbeat needs three hours in which none ended well. */
export const LONGEST_SILENCE = 4 * HOUR;

/**
 * A listing may lag by five minutes, an event may be a minute late, so may a scan, and a run within a minute is
 * skipped.
 */
export const MARGIN = 10 * MINUTE;
