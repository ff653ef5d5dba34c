import type { Purpose, ReschedulingResult } from '../../../contract.ts';
import { articleOf } from '../exit-status.ts';
import { reasonsOf } from '../run-result.ts';
import type { Upcoming } from './ended-check.ts';
import type { EndedRun } from './ended-run.ts';
import type { Standing } from './standing.ts';

/**
 * Something to report. As JSON it is the detail of AutoDump's own events, so fields may be added, but never redefined.
 */
export interface Notice {
  readonly kind:
    | 'dump failed'
    | 'drill failed'
    | 'rescheduling failed'
    | 'run failed'
    | 'run stopped'
    | 'run timed out'
    | 'recovered'
    | 'drill recovered'
    | 'scan failed'
    | 'can be dumped'
    | 'cannot be dumped'
    | 'check failed';
  /** Name of the secret. */
  readonly secret?: string | undefined;
  readonly secretArn?: string | undefined;
  /** Scheduled time of the run, UTC, RFC 3339. */
  readonly scheduled?: string | undefined;
  /** When the problem of a scan was seen, in the same format. */
  readonly seen?: string | undefined;
  readonly reasons: readonly string[];
  /** Where the dump would be, `s3://…`. */
  readonly destination?: string | undefined;
  /** Last line of the job's log. */
  readonly log?: string | undefined;
  /** Time of the next run, in the format of `scheduled`, if it has been started. */
  readonly next?: string | undefined;
  /** Why it is not known to have been started; absent if nothing is known. */
  readonly noNext?: string | undefined;
  /** IANA time zone of the schedule, if it is known. */
  readonly timezone?: string | undefined;
  /** The check is about the tags as they were at this time, in the format of `scheduled`. */
  readonly tagsAsOf?: string | undefined;
  /** The next runs of the secret that was checked, by these tags. */
  readonly upcoming?: Upcoming | undefined;
  /** What the check found that is not as it should be. */
  readonly findings?: readonly string[] | undefined;
  /** Lines of SQL that grant what is missing. */
  readonly sql?: readonly string[] | undefined;
  /** IDs of the security groups of jobs, comma-separated, if the port of the database cannot be reached. */
  readonly securityGroups?: string | undefined;
  /** ARN of the execution. */
  readonly execution?: string | undefined;
  /** Log stream of the job's last attempt. */
  readonly logStream?: string | undefined;
  /** Article of the runbook, docs/operations.md, that says what to do; good news has none. */
  readonly article?: string | undefined;
}

const RECOVERED = { dump: 'recovered', drill: 'drill recovered' } as const;

/** What to report of a run that has ended; undefined if nothing, as when its event comes again. */
export function noticeOf(run: EndedRun, { ends, failure }: Standing): Notice | undefined {
  const { id, execution, secret, secretArn, purpose, when: scheduled, end } = run;
  if (ends.includes(id)) {
    return undefined;
  }
  const about = { secret, secretArn, scheduled, execution };
  switch (end.status) {
    case 'succeeded':
      return end.result !== undefined && failure !== undefined && isAtLeast(scheduled, failure.scheduled)
        ? { ...about, kind: RECOVERED[purpose], reasons: [lastFailure(failure)], ...nextOf(end.result.reschedule) }
        : undefined;
    case 'failed':
      return { ...about, ...failureOf(end, purpose) };
    case 'stopped':
      return { ...about, kind: 'run stopped', reasons: [end.cause], article: 'alarm-run-aborted' };
    case 'timed out':
      return { ...about, kind: 'run timed out', reasons: [end.cause], article: 'alarm-run-timed-out' };
  }
}

/** What has been reported after a notice. An older failure does not replace a later one. */
export function standingAfter(
  { id, purpose, when: scheduled }: EndedRun,
  { kind }: Notice,
  before: Standing,
): Standing {
  const ends = [...before.ends, id];
  if (kind === RECOVERED[purpose]) {
    return { ends };
  }
  const { failure } = before;
  return { ends, failure: failure !== undefined && isAtLeast(failure.scheduled, scheduled) ? failure : { scheduled } };
}

/** Times of one format are in the order of their text. */
function isAtLeast(time: string | undefined, other: string | undefined): boolean {
  return (time ?? '') >= (other ?? '');
}

function lastFailure({ scheduled }: NonNullable<Standing['failure']>): string {
  return scheduled === undefined
    ? 'The last failure was that of a run that had no scheduled time.'
    : `The last failure was that of the run scheduled for ${scheduled}.`;
}

function failureOf({ result, cause }: EndedRun['end'] & { status: 'failed' }, purpose: Purpose): Notice {
  if (result === undefined) {
    return { kind: 'run failed', reasons: [cause], article: 'alarm-run-failed' };
  }
  const { dump, reschedule } = result;
  const next = nextOf(reschedule);
  if (!dump.failed) {
    const reasons = [reschedule.message, dump.message];
    return { kind: 'rescheduling failed', reasons, ...next, article: 'alarm-run-failed' };
  }
  const reasons = reschedule.failed ? [reschedule.message] : [];
  const logStream = dump.logStream === 'none' ? {} : { logStream: dump.logStream };
  if (purpose === 'drill') {
    // What exit statuses mean is said of dumps.
    return {
      kind: 'drill failed',
      reasons: [dump.message, ...reasons],
      ...next,
      ...logStream,
      article: 'drill-failed',
    };
  }
  return {
    kind: 'dump failed',
    reasons: [...reasonsOf(dump), ...reasons],
    ...next,
    ...logStream,
    article: typeof dump.exitStatus === 'number' ? articleOf(dump.exitStatus) : 'alarm-run-failed',
  };
}

function nextOf({ failed, result }: ReschedulingResult): Pick<Notice, 'next' | 'noNext' | 'timezone'> {
  if (failed || result === undefined) {
    return { noNext: failed ? 'The next scan starts it.' : undefined };
  }
  const { outcome, next, reason, timezone } = result;
  const isStarted = outcome === 'started' || outcome === 'waiting';
  return { ...(isStarted ? { next } : { noNext: reason }), timezone };
}
