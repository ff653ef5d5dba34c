import type { ChildExit } from '../child.ts';
import { StorageFull } from '../disk.ts';
import { Failure, type FailureReason } from '../failure.ts';

/** Refers to the local disk, unless the server reports it, about its own. */
const LOCAL_DISK_FULL = /^pg_dump: (?!.*(from server|query failed): ).*(No space left on device|Disk quota exceeded)/m;

interface Symptom {
  readonly pattern: RegExp;
  readonly reason: FailureReason;
  readonly advice: string;
}

/**
 * pg_dump reports no SQLSTATE. Its own messages and libpq's are in English under LC_ALL=C; the server's are in the
 * server's language, so a pattern that matches only those is best effort, and conditions that can be queried are checked
 * before the dump. The first match wins.
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
    advice: 'The connection to the server was lost.',
  },
  {
    pattern: /Query was: LOCK TABLE/,
    reason: 'tryAgain',
    advice: 'Another session, most likely running DDL, held a lock on a table for longer than a dump waits.',
  },
  {
    pattern: /cache lookup failed|could not open relation with OID|canceling statement due to user request/,
    reason: 'tryAgain',
    advice: 'DDL in another session interfered, or someone canceled the query.',
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
      'The replica canceled the query to keep up with its primary: raise max_standby_streaming_delay on the replica, or dump the primary.',
  },
];

/** The last lines of the child's standard error. */
function lastMessages({ lastLines }: ChildExit): string {
  return lastLines.length === 0 ? 'It printed no message.' : `Its last messages: ${lastLines.slice(-10).join(' | ')}`;
}

/** Why pg_dump failed. */
export function dumpFailure(exit: ChildExit): Failure {
  const messages = lastMessages(exit);
  if (exit.signal !== null) {
    const isKilled = exit.signal === 'SIGKILL';
    const cause = isKilled ? ', most likely because it ran out of memory: see the context jobMemoryMiB' : '';
    return new Failure(isKilled ? 'tryAgain' : 'internal', `pg_dump was ended by ${exit.signal}${cause}. ${messages}`);
  }
  const output = exit.lastLines.join('\n');
  if (LOCAL_DISK_FULL.test(output)) {
    return new StorageFull(messages);
  }
  const { reason, advice } = SYMPTOMS.find(({ pattern }) => pattern.test(output)) ?? {
    reason: 'refused',
    advice: `pg_dump ended with status ${exit.status}.`,
  };
  return new Failure(reason, `${advice} ${messages}`);
}

/** Why pg_restore did not read the archive to its end. */
export function verificationFailure(exit: ChildExit): Failure {
  const messages = lastMessages(exit);
  if (exit.signal !== null) {
    return new Failure(
      exit.signal === 'SIGKILL' ? 'tryAgain' : 'verificationFailed',
      `pg_restore was ended by ${exit.signal} while it read the dump back. ${messages}`,
    );
  }
  const problem =
    exit.status === 0 ? 'pg_restore left part of the dump unread' : 'pg_restore could not read the dump back';
  return new Failure('verificationFailed', `${problem}: the dump is damaged. It was not stored. ${messages}`);
}
