import { type SecretStatus, type State, STATES, type Status } from '../../../contract.ts';
import { formatWhen } from '../execution-name.ts';
import { sum } from '../sum.ts';
import { entryOf, type KnownSecret } from './entry.ts';

/** Whose status it is. */
export type Subject = Pick<Status, 'stack' | 'account' | 'region' | 'periodMinutes'>;

/** The status of all secrets on a schedule. */
export function statusOf(secrets: readonly KnownSecret[], subject: Subject, now: Date): Status {
  const entries = secrets
    .map((known) => entryOf(known, now))
    .sort((one, other) => urgency(one) - urgency(other) || compare(one.secret, other.secret));
  const count = (state: State): number => entries.filter((entry) => entry.state === state).length;
  return {
    version: 1,
    generatedAt: formatWhen(now),
    ...subject,
    totals: {
      secrets: entries.length,
      bytes: sum(entries.map(({ newest }) => newest?.bytes ?? 0)),
      states: {
        overdue: count('overdue'),
        failing: count('failing'),
        'rows vanished': count('rows vanished'),
        unchecked: count('unchecked'),
        'broken tag': count('broken tag'),
        'drill overdue': count('drill overdue'),
        'drill failed': count('drill failed'),
        'old dump': count('old dump'),
        'no dump': count('no dump'),
        'drills only': count('drills only'),
        late: count('late'),
        fresh: count('fresh'),
      },
    },
    secrets: entries,
  };
}

function urgency({ state }: SecretStatus): number {
  return STATES.indexOf(state);
}

/** In the order of the characters' codes, so that it does not depend on a language. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
