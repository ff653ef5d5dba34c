import { StorageFull } from '../disk.ts';
import { Failure, type FailureReason } from '../failure.ts';
import { CLIENT_OUT_OF_MEMORY } from '../postgres/client-memory.ts';
import { type ChildExit, wasStopped } from '../process/child.ts';

/** Refers to the local disk, unless the server reports it, about its own. */
const LOCAL_DISK_FULL = /^pg_dump: (?!.*(from server|query failed): ).*(No space left on device|Disk quota exceeded)/m;

interface Verdict {
  readonly reason: FailureReason;
  readonly advice: string;
}

interface Symptom extends Verdict {
  readonly pattern: RegExp;
}

/** The server's errors, after pg_dump's words. */
function serverSays(...messages: readonly string[]): RegExp {
  return new RegExp(`: ERROR:  .*(?:${messages.join('|')})`);
}

/** Begins the statement that failed, on a line of its own. */
const STATEMENT = /^pg_dump: detail: (?:Query|Command) was: /m;

/** The statement, as long as pg_dump locks the tables. */
const LOCK_TABLE = 'LOCK TABLE ';

/**
 * pg_dump reports no SQLSTATE. Its own messages and libpq's are in English under LC_ALL=C; the server's are in the
 * server's language, so a pattern that matches only those is best effort, and conditions that can be queried are
 * checked before the dump. Names of settings are the same in every language. The first match wins.
 */
const SYMPTOMS: readonly Symptom[] = [
  {
    // pg_dump traps SIGTERM, SIGINT and SIGQUIT, and exits with status 1.
    pattern: /^pg_dump: terminated by user$/m,
    reason: 'tryAgain',
    advice: 'pg_dump was stopped from outside, by a signal.',
  },
  {
    pattern: /^(?!pg_dump: ).*max_locks_per_transaction/m,
    reason: 'refused',
    advice:
      "The server's table of locks is full: a dump locks every table and sequence until it ends. Raise " +
      'max_locks_per_transaction and restart the server; dump --check compares it with the number of tables.',
  },
  {
    // pg_dump's other connections lock their tables again, and do not wait for that.
    pattern: /^pg_dump: error: could not obtain lock on relation /m,
    reason: 'tryAgain',
    advice: 'While a table was being dumped, another session, running DDL, asked for an exclusive lock on it.',
  },
  {
    pattern: serverSays('permission denied', 'row-level security'),
    reason: 'refused',
    advice: 'The user lacks a privilege.',
  },
  {
    pattern: /connection to server .* failed|could not translate host name/,
    reason: 'tryAgain',
    advice: 'The server could not be reached any more, or refused the login, although the checks could log in.',
  },
  {
    pattern: /: (?:ERROR|FATAL): {2}.*conflict with recovery/,
    reason: 'tryAgain',
    advice:
      'The replica canceled the query to keep up with its primary: raise max_standby_streaming_delay on the replica, or dump the primary.',
  },
  {
    pattern: CLIENT_OUT_OF_MEMORY,
    reason: 'tryAgain',
    advice:
      'pg_dump ran out of memory on this machine, where a row takes several times its size: see the context jobMemoryMiB.',
  },
  {
    pattern:
      /: FATAL: {2}|server closed the connection unexpectedly|could not (send|receive) data|SSL (SYSCALL |)error|SSL connection has been closed|connection not open|no connection to the server/,
    reason: 'tryAgain',
    advice: 'The connection to the server was lost.',
  },
  {
    pattern: serverSays('canceling statement due to user request'),
    reason: 'tryAgain',
    advice: 'Someone canceled the query.',
  },
  {
    pattern: serverSays(
      '(?:relation|schema) .* does not exist',
      'deadlock detected',
      'cache lookup failed',
      'could not open relation with OID',
      'could not find tuple',
    ),
    reason: 'tryAgain',
    advice: 'DDL in another session interfered.',
  },
  {
    pattern: serverSays('No space left on device', 'could not extend file'),
    reason: 'tryAgain',
    advice: "The server's own disk is full.",
  },
  {
    // Ten digits: a little more than a gigabyte, and not the length of a damaged value.
    pattern: /: ERROR: {2}invalid memory alloc request size \d{10}$|^DETAIL: {2}Cannot enlarge string buffer/m,
    reason: 'refused',
    advice:
      'A row of the table that is named below is larger than PostgreSQL can send: as text, a value, and all values of a row ' +
      'together, are limited to 1 GB, and bytea takes two characters per byte. pg_dump cannot dump it in any format. Find ' +
      'it by octet_length() or, for other types than text and bytea, pg_column_size(), and split the value, move it to a ' +
      'large object, or delete it.',
  },
  {
    pattern: serverSays(
      'invalid memory alloc request size',
      'invalid page in block',
      'missing chunk number',
      'unexpected chunk',
      'found toasted toast chunk',
      'compressed .* data is corrupt',
      'could not open file .*: No such file or directory',
      'could not read block',
      'could not access status of transaction',
    ),
    reason: 'refused',
    advice: 'The data of the table that is named below are damaged on the server.',
  },
  {
    pattern: serverSays('out of memory'),
    reason: 'tryAgain',
    advice: 'The server is out of memory.',
  },
  {
    pattern: serverSays('snapshot too old'),
    reason: 'tryAgain',
    advice:
      'The server removed rows that the dump still had to read: set old_snapshot_threshold to more than it takes.',
  },
  {
    // Its own message would come before.
    pattern: /^(?<!pg_dump: error: [^]*)pg_dump: error: a worker process died unexpectedly$/m,
    reason: 'tryAgain',
    advice:
      'A process of pg_dump was ended by a signal, most likely because it ran out of memory: see the context jobMemoryMiB.',
  },
];

/** A lock that was not granted in time; what the server says of that may be in any language. */
const LOCK_TIMEOUT: Verdict = {
  reason: 'tryAgain',
  advice:
    'A table could not be locked, most likely because another session, running DDL, held a lock on it for longer than a dump waits.',
};

/** @param output the last lines of standard error */
function verdictOf(output: string): Verdict | undefined {
  const [words = '', statement = ''] = output.split(STATEMENT);
  const symptom = SYMPTOMS.find(({ pattern }) => pattern.test(words));
  return symptom ?? (statement.startsWith(LOCK_TABLE) ? LOCK_TIMEOUT : undefined);
}

/** The last lines of the child's standard error. */
function lastMessages({ lastLines }: ChildExit): string {
  return lastLines.length === 0 ? 'It printed no message.' : `Its last messages: ${lastLines.slice(-10).join(' | ')}`;
}

/** Why pg_dump failed. */
export function dumpFailure(exit: ChildExit): Failure {
  const messages = lastMessages(exit);
  if (exit.signal !== null) {
    const cause =
      exit.signal === 'SIGKILL' ? ', most likely because it ran out of memory: see the context jobMemoryMiB' : '';
    return new Failure(
      wasStopped(exit) ? 'tryAgain' : 'internal',
      `pg_dump was ended by ${exit.signal}${cause}. ${messages}`,
    );
  }
  const output = exit.lastLines.join('\n');
  if (LOCAL_DISK_FULL.test(output)) {
    return new StorageFull(messages);
  }
  const { reason, advice } = verdictOf(output) ?? {
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
      wasStopped(exit) ? 'tryAgain' : 'verificationFailed',
      `pg_restore was ended by ${exit.signal} while it read the dump back. ${messages}`,
    );
  }
  if (CLIENT_OUT_OF_MEMORY.test(exit.lastLines.join('\n'))) {
    return new Failure(
      'tryAgain',
      `pg_restore ran out of memory on this machine while it read the dump back: see the context jobMemoryMiB. ${messages}`,
    );
  }
  const problem =
    exit.status === 0 ? 'pg_restore left part of the dump unread' : 'pg_restore could not read the dump back';
  return new Failure('verificationFailed', `${problem}: the dump is damaged. It was not stored. ${messages}`);
}
