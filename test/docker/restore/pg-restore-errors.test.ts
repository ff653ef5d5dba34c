import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RestoreErrors } from '../../../docker/restore/pg-restore-errors.ts';
import { ANY_CHARACTER } from '../../support/any-character.ts';

const UNKNOWN = 'could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"';
const SET = 'Command was: SET transaction_timeout = 0;';

const SETTING = ['pg_restore: while INITIALIZING:', `pg_restore: error: ${UNKNOWN}`, SET];

const IN_RUSSIAN = [
  'pg_restore: error: could not execute query: ОШИБКА:  нераспознанный параметр конфигурации: "transaction_timeout"',
  SET,
];

const GRANT = [
  'pg_restore: while PROCESSING TOC:',
  'pg_restore: from TOC entry 4321; 0 0 ACL TABLE t postgres',
  'pg_restore: error: could not execute query: ERROR:  role "clerk" does not exist',
  'Command was: GRANT SELECT ON TABLE public.t TO clerk;',
];

const COPY = [
  'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"',
  'DETAIL:  Key (a)=(Command was: SET transaction_timeout = 0;) already exists.',
  'CONTEXT:  COPY t, line 1',
];

/** Two workers write concurrently: each message is written in one piece, but separately from its prefix. */
const CONCURRENT_SETTINGS = [`pg_restore:pg_restore:  error: error: ${UNKNOWN}`, SET, UNKNOWN, SET];

const CONCURRENT_SETTING_AND_GRANT = [`pg_restore:pg_restore:  error: error: ${UNKNOWN}`, SET, ...GRANT.slice(2)].map(
  (line) => line.replace(/^pg_restore: error: could/, 'could'),
);

/** Passes lines of pg_restore's standard error to a new `RestoreErrors`. */
function read(lines: readonly string[]): { readonly errors: RestoreErrors; readonly reported: readonly string[] } {
  const reported: string[] = [];
  const errors = new RestoreErrors((message) => reported.push(message));
  for (const line of lines) {
    errors.add(line);
  }
  errors.end();
  return { errors, reported };
}

test.each([
  ['only the setting', SETTING, 1, 0],
  ['the setting, for each connection', [...SETTING, ...SETTING, ...SETTING], 3, 0],
  ['the setting, from a server with another language', IN_RUSSIAN, 1, 0],
  ['the setting, from two workers concurrently', CONCURRENT_SETTINGS, 2, 0],
  ['a grant', GRANT, 0, 1],
  ['a grant between settings', [...SETTING, ...GRANT, ...SETTING], 2, 1],
  ['a grant and the setting, from two workers concurrently', CONCURRENT_SETTING_AND_GRANT, 0, 1],
  ['a line whose start is on another line', ['error: could not execute query: ERROR:  no'], 0, 1],
  ['a row that looks like the setting', COPY, 0, 1],
  ['a warning', ['pg_restore: warning: could not set something'], 0, 0],
])('%s: the harmless and serious errors are counted', (_, lines, harmless, serious) => {
  const { errors, reported } = read([
    ...lines,
    `pg_restore: warning: errors ignored on restore: ${harmless + serious}`,
  ]);
  expect([errors.harmless, errors.serious]).toEqual([harmless, serious]);
  expect(reported.filter((message) => message.startsWith('pg_restore: error: '))).toHaveLength(serious);
  expect(reported.join('\n')).not.toContain('errors ignored');
});

test('the errors, the last of them and the count are kept', () => {
  const lines = Array.from({ length: 5 }, (_, i) => `pg_restore: error: connection ${i}`);
  expect(read(lines).errors).toMatchObject({
    serious: 5,
    messages: lines,
    last: 'pg_restore: error: connection 4',
  });
});

const query = (statement: string) => [
  'pg_restore: error: could not execute query: ERROR:  no',
  ...`Command was: ${statement}`.split('\n'),
];

test.each([
  ['no error', [], false],
  ['the setting', SETTING, false],
  ['a constraint', query('ALTER TABLE ONLY "a ""b"" c".t\n    ADD CONSTRAINT c CHECK ((a > 0));'), false],
  [
    'an index and a refresh',
    [...query('CREATE INDEX i ON public.t;'), ...query('REFRESH MATERIALIZED VIEW v;')],
    false,
  ],
  ['a user mapping', query("CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    password 'x'\n);"), false],
  ['a subscription', query("CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p;"), false],
  ['row-level security', query('ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;'), false],
  ['rows', COPY, true],
  ['rows and an index', [...COPY, ...query('CREATE INDEX i ON public.t;')], true],
  ['a partition', query('ALTER TABLE ONLY public.t ATTACH PARTITION public.p DEFAULT;'), true],
  ['a table', query('CREATE TABLE public.t ();'), true],
  ['a large object', query("SELECT pg_catalog.lo_create('1');"), true],
  ['a row that looks like an index', [...COPY, 'Command was: CREATE INDEX i ON public.t;'], true],
  ['a line that cannot be parsed', ['pg_restore:pg_restore: error: error: ', 'Command was: CREATE INDEX i;'], true],
])('%s: whether rows may be missing for it is known', (_, lines, mayCostRows) => {
  expect(read(lines).errors.mayCostRows).toBe(mayCostRows);
});

const TERMINATED = 'pg_restore: terminated by user';
const DIED = 'pg_restore: error: a worker process died unexpectedly';
const FATAL = 'pg_restore: error: could not read from input file: end of file';

test.each([
  ['a signal that pg_restore traps', [TERMINATED], true],
  ['the same after a refused statement', [...GRANT, TERMINATED], true],
  ['a worker that died without an error', [DIED], true],
  ['the same after the setting', [...SETTING, DIED], true],
  ['the same after a refused statement', [...GRANT, DIED], true],
  ['the same after refused rows', [...COPY, DIED], true],
  ['a worker that died of its own error', [FATAL, DIED], false],
  ['the same after a refused statement', [...GRANT, FATAL, DIED], false],
  ['a row with the words', [...COPY, `DETAIL:  ${TERMINATED}`], false],
  ['an error', [FATAL], false],
])('%s: whether pg_restore was stopped from outside is known', (_, lines, isStopped) => {
  expect(read(lines).errors.isStopped).toBe(isStopped);
});

test('the last error is not that a worker had one', () => {
  const died = 'pg_restore: error: a worker process died unexpectedly';
  const cause = 'pg_restore: error: could not read from input file: end of file';
  expect(read([cause, died]).errors.last).toBe(cause);
  expect(read([died]).errors.last).toBe(died);
});

describe('the report of an error', () => {
  const REFUSED = 'pg_restore: error: could not execute query: ERROR:  ';
  const INTERLEAVED =
    "pg_restore: error: messages of several workers are interleaved; see the server's log for the errors";

  test.each([
    ['contains the statement', GRANT, GRANT.slice(2)],
    ['omits rows', COPY, [COPY[0]]],
    [
      'ends where a value may begin',
      [`${REFUSED}invalid input syntax for type integer: "unsayable"`],
      [`${REFUSED}invalid input syntax for type integer: …`],
    ],
    [
      'ends where a value may begin, in other languages',
      ['pg_restore: error: could not execute query: FEHLER:  ungültige Eingabe für Typ integer: »unsayable«'],
      ['pg_restore: error: could not execute query: FEHLER:  ungültige Eingabe für Typ integer: …'],
    ],
    [
      'keeps names before that',
      [`${REFUSED}invalid value for parameter "search_path": "unsayable"`],
      [`${REFUSED}invalid value for parameter "search_path": …`],
    ],
    [
      'contains only the first line of a statement',
      [`${REFUSED}no`, 'Command was: CREATE FUNCTION public.f() RETURNS void', '    AS $$ unsayable $$;'],
      [`${REFUSED}no`, 'Command was: CREATE FUNCTION public.f() RETURNS void'],
    ],
    [
      'contains the whole of a statement that is to be run later, but for literals',
      [
        `${REFUSED}no`,
        'Command was: ALTER TABLE ONLY public.t',
        "    ADD CONSTRAINT c CHECK ((a > 1) AND (b <> 'unsayable'));",
      ],
      [`${REFUSED}no`, 'Command was: ALTER TABLE ONLY public.t', '    ADD CONSTRAINT c CHECK ((a > 1) AND (b <> …'],
    ],
    [
      'contains quoted names of a statement',
      [`${REFUSED}no`, 'Command was: GRANT SELECT ON TABLE public."Größe" TO "it\'s" $$ "unsayable"'],
      [`${REFUSED}no`, 'Command was: GRANT SELECT ON TABLE public."Größe" TO "it\'s" …'],
    ],
    [
      'omits a statement that is interleaved with the message of another worker',
      [`${REFUSED}no`, `Command was: SELECTpg_restore: error: ${UNKNOWN.replace('transaction_timeout', 'unsayable')}`],
      [`${REFUSED}no`],
    ],
    [
      'omits the statement if a value looks like one',
      [`${REFUSED}no`, 'DETAIL:  Failing row contains (', 'Command was: unsayable).', 'Command was: SELECT 1;'],
      [`${REFUSED}no`],
    ],
    [
      'omits a value that looks like the statement of a COPY',
      [...COPY.slice(0, 1), 'CONTEXT:  COPY t, line 1: "', 'Command was: unsayable"'],
      [COPY[0]],
    ],
    ['omits a line that cannot be parsed', ["pg_restore: 'unsayable' error: "], [INTERLEAVED]],
    [
      'contains what libpq says when it cannot connect, and nothing of another worker',
      [
        'pg_restore: error: connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused',
        'Is the server running on that host and accepting TCP/IP connections?',
        'connection to server at "db" (10.0.0.2), port 5432 failed: FATAL:  too many connections for role "clerk"',
        'DETAIL:  Failing row contains (unsayable).',
      ],
      [
        'pg_restore: error: connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused',
        'connection to server at "db" (10.0.0.2), port 5432 failed: FATAL:  too many connections for role "clerk"',
      ],
    ],
    [
      "contains the server's reason for ending a connection",
      [
        'pg_restore: error: could not execute query: FATAL:  terminating connection due to idle-session timeout',
        'Command was: CREATE INDEX i ON public.t USING btree (a);',
      ],
      [
        'pg_restore: error: could not execute query: FATAL:  terminating connection due to idle-session timeout',
        'Command was: CREATE INDEX i ON public.t USING btree (a);',
      ],
    ],
    [
      'contains that reason even if messages are interleaved',
      [
        'pg_restore:pg_restore:  error: error: could not execute query: FATAL:  terminating connection due to idle-session timeout',
        "Command was: SELECT 'unsayable'",
      ],
      [`${INTERLEAVED}. One of them: FATAL: terminating connection due to idle-session timeout`],
    ],
  ])('%s', (_, lines, expected) => {
    expect(read(lines).reported.flatMap((message) => message.split('\n'))).toEqual(expected);
  });

  /** Arbitrary text, mixed with text that might mislead the parser. */
  const password = fc
    .array(
      fc.oneof(
        fc.string({ unit: ANY_CHARACTER }),
        fc.constantFrom(
          ...['\n', '\r', '"', "'", '«', '$$', '\\', ' role "', 'error: ', '\nDETAIL:  ', '\nERROR:  ', '\nLINE 1: '],
          ...[' OPTIONS', 'CONNECTION ', 'Command was:', SET, '; Command was: ', '\nCONTEXT:  '],
        ),
      ),
    )
    .map((pieces) => pieces.join(''));

  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

  test.each([
    [
      'a user mapping',
      (secret: string) =>
        `${REFUSED}server "s" does not exist\nCommand was: CREATE USER MAPPING FOR u SERVER s OPTIONS (\n` +
        `    password ${literal(secret)}\n);`,
    ],
    [
      'a subscription',
      (secret: string) =>
        `${REFUSED}must be superuser to create subscriptions\n` +
        `Command was: CREATE SUBSCRIPTION s CONNECTION ${literal(`password=${literal(secret)}`)} PUBLICATION p;`,
    ],
    [
      'a statement that is quoted twice',
      (secret: string) =>
        `${REFUSED}syntax error at or near ${literal(secret)}\nLINE 1: ALTER ROLE u PASSWORD ${literal(secret)};\n` +
        `               ^\nCommand was: ALTER ROLE u PASSWORD ${literal(secret)};`,
    ],
    [
      'a value',
      (secret: string) =>
        `${REFUSED}invalid input syntax for type integer: "${secret}" in this\n` +
        `Command was: REFRESH MATERIALIZED VIEW v;`,
    ],
    [
      'a row',
      (secret: string) =>
        `pg_restore: error: COPY failed for table "t": ERROR:  invalid input value for enum e: "${secret}"\n` +
        `DETAIL:  Key (a)=(${secret}) already exists.\nCONTEXT:  COPY t, line 5: "${secret}"`,
    ],
  ])('does not depend on the password in %s, except that the statement may be omitted', (_, messageWith) => {
    const reportWith = (secret: string) => read(messageWith(secret).split(/\r\n|[\r\n]/)).reported;
    const [sentence = '', statement] = reportWith('other')[0]?.split('\n') ?? [];
    const expected = [[sentence], statement === undefined ? [sentence] : [`${sentence}\n${statement}`]];
    fc.assert(
      fc.property(password, (secret) => {
        expect(expected).toContainEqual(reportWith(secret));
      }),
    );
  });
});

describe('the connection to the server was lost', () => {
  test.each([
    [['pg_restore: error: could not execute query: server closed the connection unexpectedly'], true],
    [['pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command'], true],
    [['pg_restore: error: could not execute query: SSL connection has been closed unexpectedly'], true],
    [['pg_restore: error: error returned by PQputCopyData: SSL SYSCALL error: EOF detected'], true],
    [['pg_restore: error: COPY failed for table "t": SSL error: unexpected eof while reading'], true],
    [['pg_restore: error: could not execute query: no connection to the server'], true],
    [['pg_restore: error: connection to server at "::1", port 5432 failed: Connection refused'], true],
    [['pg_restore: error: could not translate host name "db" to address: Name or service not known'], true],
    [['pg_restore:pg_restore:  error: error: could not execute query: no connection to the server'], true],
    [['pg_restore: error: could not execute query: in Chinese', 'server closed the connection unexpectedly'], true],
    [GRANT, false],
    [
      [
        'pg_restore: error: could not execute query: ERROR:  could not connect to server "s"',
        'DETAIL:  connection to server at "h" (10.0.0.1), port 5432 failed: FATAL:  no such user',
      ],
      false,
    ],
    [
      [
        'pg_restore: error: could not execute query: ERROR:  type "x" does not exist',
        'Command was: CREATE FUNCTION f() RETURNS x LANGUAGE sql AS $$',
        'server closed the connection unexpectedly $$;',
      ],
      false,
    ],
    [['pg_restore: WARNING:  server closed the connection unexpectedly'], false],
  ])('according to %j: %s', (lines, lost) => {
    expect(read(lines).errors.lost !== undefined).toBe(lost);
  });
});

test('a full disk of the server is named, as the name of a file is no value', () => {
  const line =
    'pg_restore: error: COPY failed for table "t": ERROR:  could not extend file "base/5/1": No space left on device';
  expect(read([line]).reported).toEqual([line]);
});
