import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RestoreErrors } from '../../../docker/restore/pg-restore-errors.ts';

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

/** Two workers write at once; each message goes out in one piece, but not with what is before it. */
const SETTINGS_AT_ONCE = [`pg_restore:pg_restore:  error: error: ${UNKNOWN}`, SET, UNKNOWN, SET];

const SETTING_AND_GRANT_AT_ONCE = [`pg_restore:pg_restore:  error: error: ${UNKNOWN}`, SET, ...GRANT.slice(2)].map(
  (line) => line.replace(/^pg_restore: error: could/, 'could'),
);

/** As its user of `RestoreErrors` does. */
function read(lines: readonly string[]): { readonly errors: RestoreErrors; readonly told: readonly string[] } {
  const told: string[] = [];
  const errors = new RestoreErrors((said) => told.push(said));
  for (const line of lines) {
    errors.add(line);
  }
  errors.end();
  return { errors, told };
}

test.each([
  ['the setting alone', SETTING, 1, 0],
  ['the setting, for each connection', [...SETTING, ...SETTING, ...SETTING], 3, 0],
  ['the setting, of a server that speaks another language', IN_RUSSIAN, 1, 0],
  ['the setting, by two workers at once', SETTINGS_AT_ONCE, 2, 0],
  ['a grant', GRANT, 0, 1],
  ['a grant between settings', [...SETTING, ...GRANT, ...SETTING], 2, 1],
  ['a grant and the setting, by two workers at once', SETTING_AND_GRANT_AT_ONCE, 0, 1],
  ['a line of which the beginning is in another', ['error: could not execute query: ERROR:  no'], 0, 1],
  ['rows that look like the setting', COPY, 0, 1],
  ['a warning', ['pg_restore: warning: could not set something'], 0, 0],
])('of %s are harmless and serious as many', (_, lines, harmless, serious) => {
  const { errors, told } = read([...lines, `pg_restore: warning: errors ignored on restore: ${harmless + serious}`]);
  expect([errors.harmless, errors.serious]).toEqual([harmless, serious]);
  expect(told.filter((said) => said.startsWith('pg_restore: error: '))).toHaveLength(serious);
  expect(told.join('\n')).not.toContain('errors ignored');
});

test('of any number of errors the first, the last and the count are kept', () => {
  const lines = Array.from({ length: 5 }, (_, i) => `pg_restore: error: connection ${i}`);
  expect(read(lines).errors).toMatchObject({
    serious: 5,
    first: 'pg_restore: error: connection 0',
    last: 'pg_restore: error: connection 4',
  });
});

describe('what is told of an error', () => {
  const REFUSED = 'pg_restore: error: could not execute query: ERROR:  ';
  const MANY_WORKERS = 'pg_restore: error: of several workers at once; the log of the server has what it refused';

  test.each([
    ['names the statement', GRANT, GRANT.slice(2)],
    ['lacks rows', COPY, [COPY[0]]],
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
      'has names before it',
      [`${REFUSED}invalid value for parameter "search_path": "unsayable"`],
      [`${REFUSED}invalid value for parameter "search_path": …`],
    ],
    [
      'has of a statement the first line',
      [`${REFUSED}no`, 'Command was: CREATE FUNCTION public.f() RETURNS void', '    AS $$ unsayable $$;'],
      [`${REFUSED}no`, 'Command was: CREATE FUNCTION public.f() RETURNS void'],
    ],
    [
      'has of a statement names in quotes',
      [`${REFUSED}no`, 'Command was: GRANT SELECT ON TABLE public."Größe" TO "it\'s" $$ "unsayable"'],
      [`${REFUSED}no`, 'Command was: GRANT SELECT ON TABLE public."Größe" TO "it\'s" …'],
    ],
    [
      'lacks a statement that another worker wrote in',
      [`${REFUSED}no`, `Command was: SELECTpg_restore: error: ${UNKNOWN.replace('transaction_timeout', 'unsayable')}`],
      [`${REFUSED}no`],
    ],
    [
      'lacks a statement that a value may be taken for',
      [`${REFUSED}no`, 'DETAIL:  Failing row contains (', 'Command was: unsayable).', 'Command was: SELECT 1;'],
      [`${REFUSED}no`],
    ],
    [
      'lacks what looks like the statement of a COPY',
      [...COPY.slice(0, 1), 'CONTEXT:  COPY t, line 1: "', 'Command was: unsayable"'],
      [COPY[0]],
    ],
    ['lacks what is not understood', ["pg_restore: 'unsayable' error: "], [MANY_WORKERS]],
  ])('%s', (_, lines, expected) => {
    expect(read(lines).told.flatMap((said) => said.split('\n'))).toEqual(expected);
  });

  /** What a password may be made of, and what might lead the reading astray. */
  const password = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
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
  ])('is the same whatever the password in %s, though perhaps without the statement', (_, say) => {
    const tell = (secret: string) => read(say(secret).split(/\r\n|[\r\n]/)).told;
    const [sentence = '', statement] = tell('other')[0]?.split('\n') ?? [];
    const expected = [[sentence], statement === undefined ? [sentence] : [`${sentence}\n${statement}`]];
    fc.assert(
      fc.property(password, (secret) => {
        expect(expected).toContainEqual(tell(secret));
      }),
    );
  });
});

describe('the server was lost', () => {
  test.each([
    [['pg_restore: error: could not execute query: server closed the connection unexpectedly'], true],
    [['pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command'], true],
    [['pg_restore: error: could not execute query: SSL connection has been closed unexpectedly'], true],
    [['pg_restore: error: error returned by PQputCopyData: SSL SYSCALL error: EOF detected'], true],
    [['pg_restore: error: COPY failed for table "t": SSL error: unexpected eof while reading'], true],
    [['pg_restore: error: could not execute query: no connection to the server'], true],
    [['pg_restore: error: connection to server at "::1", port 5432 failed: Connection refused'], true],
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
  ])('by %j: %s', (lines, lost) => {
    expect(read(lines).errors.lost).toBe(lost);
  });
});
