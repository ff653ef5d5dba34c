import type { Ended } from '../child.ts';
import { StorageFull } from '../disk.ts';
import { Failure, type FailureReason } from '../failure.ts';

/** Of this machine's disk, and not in what the server says of its own. */
const NO_SPACE = /^pg_dump: (?!.*(from server|query failed): ).*(No space left on device|Disk quota exceeded)/m;

interface Symptom {
  readonly pattern: RegExp;
  readonly reason: FailureReason;
  readonly advice: string;
}

/**
 * pg_dump gives no SQLSTATE. Its own words and libpq's are English under LC_ALL=C; the server's are in the server's
 * language, so what rests on them alone is best effort, and what can be is asked of the database before the dump. First
 * match wins.
 */
const SYMPTOMS: readonly Symptom[] = [
  {
    pattern: /permission denied|row-level security/,
    reason: 'refused',
    advice: 'The user lacks a privilege.',
  },
  {
    pattern:
      /FATAL: |server closed the connection unexpectedly|connection to server .* failed|could not (send|receive) data|SSL (SYSCALL |)error|SSL connection has been closed|connection not open|no connection to the server/,
    reason: 'tryAgain',
    advice: 'The connection to the server broke.',
  },
  {
    pattern: /Query was: LOCK TABLE/,
    reason: 'tryAgain',
    advice: 'A table stayed locked by another session, most likely for DDL, for longer than a dump waits.',
  },
  {
    pattern: /cache lookup failed|could not open relation with OID|canceling statement due to user request/,
    reason: 'tryAgain',
    advice: 'DDL of another session, or a person, came in its way.',
  },
  {
    pattern: /No space left on device|could not extend file/,
    reason: 'tryAgain',
    advice: "The server's own disk is full.",
  },
  {
    pattern: /conflict with recovery/,
    reason: 'tryAgain',
    advice:
      'The replica canceled the query to keep up with its primary: raise max_standby_streaming_delay there, or dump the primary.',
  },
];

/** The last of what the child said. */
function saying({ complaints }: Ended): string {
  return complaints.length === 0 ? 'It said nothing.' : `It said: ${complaints.slice(-10).join(' | ')}`;
}

/** Why pg_dump failed. */
export function dumpFailure(ended: Ended): Failure {
  if (ended.signal !== null) {
    const killed = ended.signal === 'SIGKILL';
    return new Failure(
      killed ? 'tryAgain' : 'internal',
      `pg_dump was ended by ${ended.signal}${killed ? ', most likely for want of memory: see the context jobMemoryMiB' : ''}. ` +
        saying(ended),
    );
  }
  const said = ended.complaints.join('\n');
  if (NO_SPACE.test(said)) {
    return new StorageFull(saying(ended));
  }
  const { reason, advice } = SYMPTOMS.find(({ pattern }) => pattern.test(said)) ?? {
    reason: 'refused',
    advice: `pg_dump ended with status ${ended.status}.`,
  };
  return new Failure(reason, `${advice} ${saying(ended)}`);
}

/** Why pg_restore did not read the archive to its end. */
export function verificationFailure(ended: Ended): Failure {
  if (ended.signal !== null) {
    return new Failure(
      ended.signal === 'SIGKILL' ? 'tryAgain' : 'verificationFailed',
      `pg_restore was ended by ${ended.signal} while it read the dump back. ${saying(ended)}`,
    );
  }
  const how =
    ended.status === 0 ? 'pg_restore left a part of the dump unread' : 'pg_restore could not read the dump back';
  return new Failure('verificationFailed', `${how}: it is not whole, and there is no object. ${saying(ended)}`);
}
