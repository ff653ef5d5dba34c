import { iso } from '../runtime/time.ts';
import { type Execution, prevented } from '../services/execution.ts';
import type { Secret } from '../workload/secret-history.ts';
import type { Interval } from './intervals.ts';
import { MARGIN } from './limits.ts';
import type { Scans } from './scans.ts';

const MINUTE = 60_000;

/** Why a scheduled time in long faults has no dump. */
export const SCANS_WERE_OFF = 'scans were off for hours or days';

/** A scheduled time without a dump. */
export interface MissedDump {
  readonly secret: Secret;
  readonly interval: Interval;
  readonly due: number;
  /** The previous scheduled time. */
  readonly previous: number | undefined;
  /** The executions for the previous time. */
  readonly previousRuns: readonly Execution[];
  /** The executions for this time. */
  readonly runs: readonly Execution[];
}

/** `excused`: no stack could have made the dump. `violation`: a correct one would have. */
export interface Verdict {
  readonly kind: 'excused' | 'violation';
  readonly reason: string;
}

/** @param period of the scans, in milliseconds */
export function judgeMissedDump(missed: MissedDump, scans: Scans, period: number): Verdict {
  return judgeRuns(missed.runs) ?? judgeMissingRun(missed, scans, period);
}

/** Executions started no dump: did faults prevent them? */
function judgeRuns(runs: readonly Execution[]): Verdict | undefined {
  if (runs.some(({ stopped }) => stopped !== undefined)) {
    return excused('stopped by hand');
  }
  for (const run of runs) {
    if (prevented(run, 'compare')) {
      return excused('the tags could not be compared');
    }
    if (prevented(run, 'job')) {
      return excused('the job could not be submitted');
    }
    if (run.outcome === 'unchanged' || run.outcome === undefined) {
      return violation(`its execution ended as ${JSON.stringify(run.end)}`);
    }
  }
  return undefined;
}

/** No execution served the scheduled time: could anything have started one? */
function judgeMissingRun(missed: MissedDump, all: Scans, period: number): Verdict {
  const { secret, interval, due, previous, previousRuns } = missed;
  const since = Math.max(interval.from + MARGIN, previous ?? 0);
  const scans = all.ended.filter(({ started, ended }) => started > since && ended < due - MINUTE);
  const clean = scans.find((scan) => !scan.cut && !scan.prevented.has(secret.arn));
  if (clean !== undefined) {
    return violation(`the scan of ${iso(clean.started)} succeeded without starting its run`);
  }
  if (scans.length === 0 && due - since > period + MARGIN && !all.hasBegun(since, due - MINUTE)) {
    return violation('no scan began for more than a scan period');
  }
  const rescheduling = previousRuns.flatMap(({ attempts }) => attempts).filter(({ step }) => step === 'reschedule');
  const successful = rescheduling.find(({ ok, ended }) => ok && ended < due);
  if (successful !== undefined && previous !== undefined && previous >= interval.from) {
    return violation(`the Reschedule of ${iso(successful.started)} succeeded without starting its run`);
  }
  const mustHave = previousRuns.find(
    ({ outcome, stopped, end }) =>
      stopped === undefined && (outcome === 'unchanged' || (outcome === undefined && end !== undefined)),
  );
  if (mustHave !== undefined && rescheduling.length === 0) {
    return violation('the previous run did not reschedule');
  }
  if (all.wereOff(since, due)) {
    return excused(SCANS_WERE_OFF);
  }
  return excused(scans.length > 0 ? 'faults prevented every scan' : 'the previous run failed, and no scan was due');
}

function excused(reason: string): Verdict {
  return { kind: 'excused', reason };
}

function violation(reason: string): Verdict {
  return { kind: 'violation', reason };
}
