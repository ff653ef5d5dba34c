import { EXIT_STATUS, PORT_CHECK } from '../../../contract.ts';
import { formatWhen } from '../execution-name.ts';
import { articleOf } from '../exit-status.ts';
import { reasonsOf } from '../run-result.ts';
import type { CheckFinding, CheckLog } from './check-log.ts';
import type { EndedCheck, Upcoming } from './ended-check.ts';
import type { Notice } from './notice.ts';

/** Article of the runbook about checks that did not come to their end. */
const CHECK_FAILED = 'check-failed';

/** What to report of a check that has ended. */
export function checkNoticeOf(check: EndedCheck, log: CheckLog, securityGroups: string): Notice {
  const { execution, secret, secretArn, startDate, end } = check;
  const tagsAsOf = startDate === undefined ? undefined : formatWhen(new Date(startDate));
  const about = { secret, secretArn, execution, tagsAsOf, upcoming: stillUpcoming(check) };
  if (end.status === 'not made') {
    return { ...about, kind: 'check failed', reasons: [end.cause], article: CHECK_FAILED };
  }
  const found = { ...log, findings: log.findings.map(inWords), logStream: end.logStream };
  if (end.status === 'passed') {
    return { ...about, ...found, kind: 'can be dumped', reasons: [] };
  }
  const reasons = reasonsOf(end);
  const problems = log.findings.filter(({ state }) => state === 'problem');
  if (!isFinding(end.exitStatus, problems)) {
    return { ...about, ...found, kind: 'check failed', reasons, article: CHECK_FAILED };
  }
  return {
    ...about,
    ...found,
    kind: 'cannot be dumped',
    reasons,
    ...(problems.some((problem) => problem.check === PORT_CHECK) ? { securityGroups } : {}),
    article: articleOf(end.exitStatus),
  };
}

/**
 * Whether a check ended because of what it found. Otherwise it did not come to its end: `tryAgain` is also the status
 * after SIGTERM, as at its timeout, and others show a fault of the job.
 */
function isFinding(exitStatus: number, problems: readonly CheckFinding[]): boolean {
  switch (exitStatus) {
    case EXIT_STATUS.badSecret:
    case EXIT_STATUS.refused:
      return true;
    case EXIT_STATUS.tryAgain:
      return problems.length > 0;
    default:
      return false;
  }
}

function inWords({ check, state, detail }: CheckFinding): string {
  return state === 'problem' ? `${check}: ${detail}` : `${check} (warning): ${detail}`;
}

/**
 * The runs that were still to come when the check ended: it may have queued for days. Undefined if there are none, or
 * they are not known.
 */
function stillUpcoming({ upcoming, stopDate = 0 }: EndedCheck): Upcoming | undefined {
  if (upcoming === undefined) {
    return undefined;
  }
  const [when, ...following] = [upcoming.when, ...upcoming.following].filter((time) => Date.parse(time) >= stopDate);
  return when === undefined ? undefined : { ...upcoming, when, following };
}
