import { formatWhen } from '../execution-name.ts';
import type { CheckLog } from './check-log.ts';
import type { EndedCheck, Upcoming } from './ended-check.ts';
import { articleOf } from './exit-status.ts';
import { type Notice, reasonsOf } from './notice.ts';

/** What to report of a check that has ended. */
export function checkNoticeOf(check: EndedCheck, log: CheckLog, securityGroups: string): Notice {
  const { execution, secret, secretArn, startDate, end } = check;
  const tagsAsOf = startDate === undefined ? undefined : formatWhen(new Date(startDate));
  const about = { secret, secretArn, execution, tagsAsOf, upcoming: stillUpcoming(check) };
  switch (end.status) {
    case 'passed':
      return { ...about, ...log, kind: 'can be dumped', reasons: [], logStream: end.logStream };
    case 'failed':
      return {
        ...about,
        ...log,
        kind: 'cannot be dumped',
        reasons: reasonsOf(end),
        logStream: end.logStream,
        ...(log.findings.some((finding) => finding.startsWith('Port: ')) ? { securityGroups } : {}),
        article: articleOf(end.exitStatus),
      };
    case 'not made':
      return { ...about, kind: 'check failed', reasons: [end.cause], article: 'check-failed' };
  }
}

/** The next runs when the check ended, before which it may have queued for days; undefined if they are not known. */
function stillUpcoming({ upcoming, stopDate = 0 }: EndedCheck): Upcoming | undefined {
  if (upcoming === undefined) {
    return undefined;
  }
  const [when, ...following] = [upcoming.when, ...upcoming.following].filter((time) => Date.parse(time) >= stopDate);
  return when === undefined ? undefined : { ...upcoming, when, following };
}
