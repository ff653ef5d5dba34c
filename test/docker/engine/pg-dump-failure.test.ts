import { describe, expect, test } from '@jest/globals';
import { StorageFull } from '../../../docker/disk.ts';
import { dumpFailure, verificationFailure } from '../../../docker/engine/pg-dump-failure.ts';

function exit(lines: string, end: { status?: number; signal?: NodeJS.Signals } = { status: 1 }) {
  return {
    status: end.status ?? null,
    signal: end.signal ?? null,
    lastLines: lines.split('\n'),
    tookAllInput: true,
  };
}

describe('why pg_dump failed', () => {
  test.each([
    ['the disk is full', 'tryAgain', 'pg_dump: error: could not write to output file: No space left on device'],
    [
      'a lock, reported in German',
      'tryAgain',
      'pg_dump: error: query failed: FEHLER:  storniere Anfrage wegen Zeitüberschreitung\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE',
    ],
    [
      'the server has vanished',
      'tryAgain',
      'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\npg_dump: detail: Error message from server: server closed the connection unexpectedly',
    ],
    [
      'the server does not return',
      'tryAgain',
      'pg_dump: error: connection to server at "10.0.0.1", port 5432 failed: Connection refused',
    ],
    [
      'a table is to be locked exclusively in between',
      'tryAgain',
      'pg_dump: error: could not obtain lock on relation "public.t"\nThis usually means that someone requested an ACCESS EXCLUSIVE lock\npg_dump: error: a worker process died unexpectedly',
    ],
    ['zstd lacks memory', 'tryAgain', 'pg_dump: error: could not compress data: Allocation error : not enough memory'],
    ['zlib lacks memory', 'tryAgain', 'pg_dump: error: could not initialize compression library: insufficient memory'],
    [
      'zlib lacks memory, without a word',
      'tryAgain',
      'pg_dump: error: could not initialize compression library: (null)',
    ],
    ['zstd cannot begin', 'tryAgain', 'pg_dump: error: could not initialize compression library'],
    [
      'zlib is of another version',
      'refused',
      'pg_dump: error: could not initialize compression library: version error',
    ],
    ['a process of pg_dump was killed', 'tryAgain', 'pg_dump: error: a worker process died unexpectedly'],
    [
      'a process of pg_dump failed',
      'refused',
      'pg_dump: error: unrecognized object type\npg_dump: error: a worker process died unexpectedly',
    ],
    [
      'a replica cancels the query',
      'tryAgain',
      'pg_dump: detail: Error message from server: ERROR:  canceling statement due to conflict with recovery',
    ],
    [
      'a privilege is missing',
      'refused',
      'pg_dump: error: query failed: ERROR:  permission denied for table t\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE',
    ],
    [
      'the session is terminated',
      'tryAgain',
      'pg_dump: detail: Error message from server: FATAL:  terminating connection due to unexpected postmaster exit',
    ],
    [
      'TLS is closed',
      'tryAgain',
      'pg_dump: detail: Error message from server: SSL connection has been closed unexpectedly',
    ],
    ['a signal that pg_dump traps', 'tryAgain', 'pg_dump: terminated by user'],
    ['a table is dropped', 'tryAgain', 'pg_dump: error: query failed: ERROR:  cache lookup failed for relation 16384'],
    [
      'someone cancels the query',
      'tryAgain',
      'pg_dump: detail: Error message from server: ERROR:  canceling statement due to user request',
    ],
    [
      'the server is out of memory',
      'tryAgain',
      'pg_dump: error: query failed: ERROR:  out of memory\nDETAIL:  Failed on request of size 1048576 in memory context "PortalContext".',
    ],
    [
      'the table of locks is full, reported in German',
      'refused',
      'pg_dump: error: query failed: FEHLER:  Shared Memory aufgebraucht\nTIPP:  Sie müssen möglicherweise »max_locks_per_transaction« erhöhen.\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE',
    ],
    [
      'a name that does not resolve at the moment',
      'tryAgain',
      'pg_dump: error: could not translate host name "db.example.com" to address: Temporary failure in name resolution',
    ],
    ['anything else', 'refused', 'pg_dump: error: unexpected'],
  ])('%s', (_, reason, lines) => {
    const failure = dumpFailure(exit(lines));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(lines.split('\n').at(-1));
  });

  test.each([
    ['Error message from server: out of memory', 'pg_dump ran out of memory on this machine'],
    ['query failed: cannot allocate memory for input buffer', 'pg_dump ran out of memory on this machine'],
    ['Error message from server: ERROR:  out of memory', 'The server is out of memory'],
    ['Error message from server: FATAL:  terminating connection due to conflict with recovery', 'The replica canceled'],
    ['Error message from server: ERROR:  canceling statement due to conflict with recovery', 'The replica canceled'],
    ['Error message from server: FATAL:  terminating connection due to administrator command', 'was lost'],
    ['Error message from server: ERROR:  snapshot too old', 'old_snapshot_threshold'],
  ])('%s: worth another try, with the advice: %s', (message, advice) => {
    const failure = dumpFailure(exit(`pg_dump: detail: ${message}\npg_dump: detail: Command was: COPY t TO stdout;`));
    expect(failure.reason).toBe('tryAgain');
    expect(failure.message).toContain(advice);
  });

  const copy =
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  ';

  test.each([
    ['invalid memory alloc request size 1090519043', 'limited to 1 GB'],
    [
      'out of memory\nDETAIL:  Cannot enlarge string buffer containing 545259526 bytes by 545259520 more bytes.',
      'limited to 1 GB',
    ],
    [
      'string buffer exceeds maximum allowed length (1073741823 bytes)\nDETAIL:  Cannot enlarge string buffer containing 545259526 bytes by 545259520 more bytes.',
      'limited to 1 GB',
    ],
    ['invalid memory alloc request size 18446744073709551613', 'damaged'],
    ['invalid page in block 0 of relation base/16384/16385', 'damaged'],
    ['compressed pglz data is corrupt', 'damaged'],
    ['could not access status of transaction 5000000', 'damaged'],
    ['could not read block 1 in file "base/16402/16411": read only 0 of 8192 bytes', 'damaged'],
    ['missing chunk number 0 for toast value 16391 in pg_toast_16385', 'damaged'],
  ])('%s', (message, advice) => {
    const failure = dumpFailure(exit(`${copy}${message}\npg_dump: detail: Command was: COPY public.t (a) TO stdout;`));
    expect(failure.reason).toBe('refused');
    expect(failure.message).toContain(advice);
    expect(failure.message).toContain('public.t');
  });

  test.each([
    ['local', true, 'pg_dump: error: could not write to output file: No space left on device'],
    [
      'on the server',
      false,
      'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  could not write to file "base/pgsql_tmp/x": No space left on device',
    ],
    [
      'on the server, reported for a query',
      false,
      'pg_dump: error: query failed: ERROR:  could not write to file "base/pgsql_tmp/x": No space left on device',
    ],
  ])('a full disk, %s, is recognized', (_, isLocal, lines) => {
    const failure = dumpFailure(exit(lines));
    expect(failure.reason).toBe('tryAgain');
    expect(failure instanceof StorageFull).toBe(isLocal);
  });

  test.each([
    ['SIGKILL', 'tryAgain', 'tryAgain'],
    ['SIGTERM', 'tryAgain', 'tryAgain'],
    ['SIGHUP', 'tryAgain', 'tryAgain'],
    ['SIGSEGV', 'internal', 'verificationFailed'],
  ] as const)('%s ends pg_dump: %s, or pg_restore during the proof: %s', (signal, dumping, proving) => {
    const [dump, proof] = [dumpFailure(exit('', { signal })), verificationFailure(exit('', { signal }))];
    expect([dump.reason, proof.reason]).toEqual([dumping, proving]);
    expect(dump.message).toContain(`pg_dump was ended by ${signal}`);
    expect(proof.message).toContain(`pg_restore was ended by ${signal}`);
  });
});

describe('why a dump is not proven', () => {
  test.each([
    [
      'pg_restore fails',
      exit('pg_restore: error: could not read from input file: end of file'),
      'could not read the dump back',
    ],
    [
      'pg_restore leaves part of the dump unread',
      { ...exit('', { status: 0 }), tookAllInput: false },
      'left part of the dump unread',
    ],
    ['pg_restore crashes', exit('', { signal: 'SIGSEGV' }), 'ended by SIGSEGV'],
  ])('%s', (_, end, message) => {
    const failure = verificationFailure(end);
    expect(failure.reason).toBe('verificationFailed');
    expect(failure.message).toContain(message);
  });

  test.each(['out of memory', 'pg_restore: error: out of memory'])(
    'not because it is damaged if pg_restore says: %s',
    (says) => {
      const failure = verificationFailure(exit(says));
      expect(failure.reason).toBe('tryAgain');
      expect(failure.message).toMatch(/ran out of memory on this machine.*jobMemoryMiB/);
    },
  );
});
