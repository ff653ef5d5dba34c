import type { DumpResult, ReschedulingResult } from '../../../contract.ts';
import type { EndedRun } from './ended-run.ts';
import { articleOf, inWords } from './exit-status.ts';
import type { Standing } from './standing.ts';

/** Something to report. As JSON it is the detail of AutoDump's own events, so fields may be added, but never redefined. */
export interface Notice {
  readonly kind: 'dump failed' | 'rescheduling failed' | 'run stopped' | 'run timed out' | 'recovered' | 'scan failed';
  /** Name of the secret. */
  readonly secret?: string | undefined;
  readonly secretArn?: string | undefined;
  /** Scheduled time of the run, UTC, RFC 3339. */
  readonly scheduled?: string | undefined;
  readonly reasons: readonly string[];
  /** Time of the next run, as far as it has been started, in the format of `scheduled`. */
  readonly next?: string | undefined;
  /** ARN of the execution. */
  readonly execution?: string | undefined;
  /** Log stream of the job's last attempt. */
  readonly logStream?: string | undefined;
  /** Article of the runbook, docs/operations.md, that says what to do; a recovery has none. */
  readonly article?: string | undefined;
}

/** What Batch says of a program that ended on its own. */
const USUAL_REASON = 'Essential container in task exited (no further reason)';

/** What to report of a run that has ended; undefined if nothing, as when its event comes again. */
export function noticeOf(run: EndedRun, standing: Standing | undefined): Notice | undefined {
  const { execution, secret, secretArn, when: scheduled, end } = run;
  if (execution === standing?.execution) {
    return undefined;
  }
  const about = { secret, secretArn, scheduled, execution };
  switch (end.status) {
    case 'succeeded':
      return end.result !== undefined && isRecovery(scheduled, standing)
        ? { ...about, kind: 'recovered', reasons: [lastFailure(standing)], next: nextOf(end.result.reschedule) }
        : undefined;
    case 'failed':
      return { ...about, ...failureOf(end) };
    case 'stopped':
      return { ...about, kind: 'run stopped', reasons: [end.cause || 'no cause given'], article: 'alarm-run-aborted' };
    case 'timed out':
      return {
        ...about,
        kind: 'run timed out',
        reasons: [end.cause || 'no cause given'],
        article: 'alarm-run-timed-out',
      };
  }
}

/** Times of one format are in the order of their text. */
function isRecovery(scheduled: string | undefined, standing: Standing | undefined): standing is Standing {
  return standing?.failing === true && (scheduled ?? '') >= (standing.scheduled ?? '');
}

function lastFailure({ scheduled }: Standing): string {
  return `The last failure was that of the run scheduled for ${scheduled ?? 'no time'}.`;
}

function failureOf({ result, cause }: EndedRun['end'] & { status: 'failed' }): Notice {
  if (result === undefined) {
    return { kind: 'dump failed', reasons: [cause], article: 'alarm-run-failed' };
  }
  const { dump, reschedule } = result;
  const next = nextOf(reschedule);
  if (!dump.failed) {
    const reasons = [reschedule.message, dump.message];
    return { kind: 'rescheduling failed', reasons, next, article: 'alarm-run-failed' };
  }
  return {
    kind: 'dump failed',
    reasons: [...reasonsOf(dump), ...(reschedule.failed ? [reschedule.message] : [])],
    next,
    ...(dump.logStream === 'none' ? {} : { logStream: dump.logStream }),
    article: typeof dump.exitStatus === 'number' ? articleOf(dump.exitStatus) : 'alarm-run-failed',
  };
}

function reasonsOf({ exitStatus, reason, attempts = 1, message }: DumpResult): readonly string[] {
  if (typeof exitStatus !== 'number') {
    return [message];
  }
  const end = `The job ended with ${inWords(exitStatus)}${attempts > 1 ? `, on the last of ${attempts} attempts` : ''}.`;
  return [end, ...(reason === undefined || reason === USUAL_REASON ? [] : [`Batch says: ${reason}`])];
}

function nextOf({ result }: ReschedulingResult): string | undefined {
  return result?.next;
}
