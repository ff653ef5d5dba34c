import { hash } from 'node:crypto';

/**
 * What differs in the texts of one problem, as of a function that exceeds its time limit: times, and IDs of requests.
 */
const VARIABLE = /\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * A problem that no scan has had for longer than this, in scan intervals, is solved. If it comes back, it is reported
 * again.
 */
const SOLVED_AFTER = 3.5;

/** Key of the object whose text is the time at which a problem of scans was last seen. */
export function keyOfProblem(problem: string): string {
  return `problems/${hash('sha256', problem.replaceAll(VARIABLE, ''))}`;
}

/**
 * Whether a problem is to be reported. Scans find the same ones until they are solved, so each is reported once;
 * Freshness reminds of tags that cannot be followed and of dumps that are missing.
 *
 * @param seen when it was last seen, ISO 8601; undefined if never
 */
export function isNewProblem(seen: string | undefined, now: Date, scanIntervalMs: number): boolean {
  return seen === undefined || now.getTime() - Date.parse(seen) > SOLVED_AFTER * scanIntervalMs;
}
