import { iso } from '../runtime/time.ts';
import { type Execution, prevented } from '../services/execution.ts';
import type { Secret } from '../workload/secret-history.ts';
import type { Interval } from './intervals.ts';
import type { Scans } from './scans.ts';

const MINUTE = 60_000;

/** A listing lags by five minutes, an event may be a minute late, and so may a scan; a run a minute away is left out. */
export const MARGIN = 10 * MINUTE;

/** A scheduled time without a dump. */
export interface Missed {
  readonly secret: Secret;
  readonly interval: Interval;
  readonly due: number;
  /** The scheduled time before it, and the executions for that. */
  readonly previous: number | undefined;
  readonly before: readonly Execution[];
  /** The executions for it. */
  readonly runs: readonly Execution[];
}

/** What no stack could have helped, or what a good one would have done. */
export type Excuse = { readonly excused: string } | { readonly violation: string };

/** @param period of the scans, in milliseconds */
export function excuseOf(missed: Missed, scans: Scans, period: number): Excuse {
  return excuseOfRuns(missed.runs) ?? excuseOfNone(missed, scans, period);
}

/** Executions that started no dump: what was in their way. */
function excuseOfRuns(runs: readonly Execution[]): Excuse | undefined {
  if (runs.some(({ stopped }) => stopped !== undefined)) {
    return { excused: 'stopped by hand' };
  }
  for (const run of runs) {
    if (prevented(run, 'compare')) {
      return { excused: 'the tags could not be compared' };
    }
    if (prevented(run, 'dump')) {
      return { excused: 'the job could not be submitted' };
    }
    if (run.outcome === 'unchanged') {
      return { violation: `its execution ended as ${JSON.stringify(run.end)}.` };
    }
  }
  return undefined;
}

/** No execution served the scheduled time: whether anything could have started one. */
function excuseOfNone({ secret, interval, due, previous, before }: Missed, all: Scans, period: number): Excuse {
  const since = Math.max(interval.from + MARGIN, previous ?? 0);
  const scans = all.all.filter(({ started, ended }) => started > since && ended < due - MINUTE);
  const clean = scans.find((scan) => !scan.cut && !scan.prevented.has(secret.arn));
  if (clean !== undefined) {
    return { violation: `the scan of ${iso(clean.started)} went well and did not see to it.` };
  }
  if (scans.length === 0 && due - since > period + MARGIN && !all.hasBegun(since, due - MINUTE)) {
    return { violation: 'no scan came in more than a scan period.' };
  }
  const rescheduling = before.flatMap(({ attempts }) => attempts).filter(({ step }) => step === 'reschedule');
  const well = rescheduling.find(({ ok, ended }) => ok && ended < due);
  if (well !== undefined && previous !== undefined && previous >= interval.from) {
    return { violation: `the Reschedule of ${iso(well.started)} went well and did not see to it.` };
  }
  const passed = before.find(({ outcome, stopped }) => outcome === 'unchanged' && stopped === undefined);
  if (passed !== undefined && rescheduling.length === 0) {
    return { violation: 'the run before it did not reschedule.' };
  }
  return { excused: scans.length > 0 ? 'every scan was kept from it' : 'the run before failed, and no scan was due' };
}
