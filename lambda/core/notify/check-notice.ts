import type { CheckLog } from './check-log.ts';
import type { EndedCheck } from './ended-check.ts';
import { articleOf } from './exit-status.ts';
import { type Notice, reasonsOf } from './notice.ts';

/** What to report of a check that has ended. */
export function checkNoticeOf(check: EndedCheck, log: CheckLog, securityGroups: string): Notice {
  const { execution, secret, secretArn, upcoming, end } = check;
  const about = { secret, secretArn, execution, upcoming };
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
