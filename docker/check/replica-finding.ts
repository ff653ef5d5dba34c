import type { Database } from '../postgres/database.ts';
import { type Finding, ok, warning } from './finding.ts';

export const REPLICA = 'Replica';

/** Conflicts with recovery cannot be predicted, but whether they are possible, and after what time, is known. */
export function replicaFinding({ replica }: Database): Finding {
  if (replica === undefined) {
    return ok(REPLICA, 'no: this is a primary');
  }
  const { maxDelay, feedback } = replica;
  if (maxDelay === '-1') {
    return ok(REPLICA, 'yes, but it never cancels queries (max_standby_streaming_delay is -1)');
  }
  return warning(
    REPLICA,
    'yes: it may cancel a dump that delays replication by more than max_standby_streaming_delay, ' +
      `which is ${maxDelay}; hot_standby_feedback, which makes that rarer, is ${feedback ? 'on' : 'off'}. Set the ` +
      'former to -1 and the latter to on, or dump the primary',
  );
}
