import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectionFailure } from '../../../docker/postgres/connection-failure.ts';

const TARGET = {
  host: 'db.example.com',
  port: 5432,
  user: 'dumper',
  password: 'unsayable',
  database: 'app',
  bucket: 'dumps',
};

function sqlState(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('in the language of the server', 0, 'error'), { code });
}

function coded(code: string): Error {
  return Object.assign(new Error(`said by Node.js: ${code}`), { code });
}

describe('what the server says', () => {
  test.each([
    ['57P03', 'tryAgain', 'login', 'starting up'],
    ['57P01', 'tryAgain', 'login', 'shutting down'],
    ['53300', 'tryAgain', 'login', 'connections'],
    ['08006', 'tryAgain', 'login', 'broke'],
    ['28P01', 'refused', 'login', 'password'],
    ['28000', 'refused', 'login', 'pg_hba.conf'],
    ['3D000', 'refused', 'database', 'databasename'],
    ['42501', 'refused', 'database', 'privilege'],
    ['XX000', 'refused', 'login', 'refused'],
  ])('SQLSTATE %s: %s, at the %s', (code, reason, step, told) => {
    const failure = connectionFailure(TARGET, { error: sqlState(code), came: 'to the port', tlsOffered: true });
    expect(failure).toMatchObject({ reason, step, sqlState: code });
    expect(failure?.message).toContain(told);
    expect(failure?.message).toContain(`in the language of the server (${code})`);
  });
});

describe('what the network says', () => {
  test.each([
    [coded('ENOTFOUND'), 'nowhere', 'tryAgain', 'name', 'does not resolve'],
    [coded('EAI_AGAIN'), 'nowhere', 'tryAgain', 'name', 'can not be resolved at the moment'],
    [coded('ECONNREFUSED'), 'nowhere', 'tryAgain', 'port', 'nothing listens'],
    [new Error('timeout expired'), 'nowhere', 'tryAgain', 'port', 'does not answer: check security groups'],
    [new Error('timeout expired'), 'to the port', 'tryAgain', 'login', 'timeout expired'],
    [coded('ECONNRESET'), 'to the port', 'tryAgain', 'login', 'ECONNRESET'],
    [new Error('Connection terminated unexpectedly'), 'to the port', 'tryAgain', 'login', 'terminated'],
    [new Error('Query read timeout'), 'to the questions', 'tryAgain', 'questions', 'Query read timeout'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'to the port', 'refused', 'tls', 'No trusted TLS connection'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'to the port', 'refused', 'tls', 'No trusted TLS connection'],
  ] as const)('%s, come %s: %s, at the %s', (error, came, reason, step, told) => {
    const failure = connectionFailure(TARGET, { error, came, tlsOffered: true });
    expect(failure).toMatchObject({ reason, step });
    expect(failure?.message).toContain('db.example.com port 5432');
    expect(failure?.message).toContain(told);
  });
});

test('a lost privilege does not look like one to connect', () => {
  const failure = connectionFailure(TARGET, { error: sqlState('42501'), came: 'to the questions', tlsOffered: true });
  expect(failure?.step).toBe('questions');
});

test('a server without TLS is refused by that name', () => {
  const failed = { error: new Error('whatever pg says'), came: 'to the port', tlsOffered: false } as const;
  expect(connectionFailure(TARGET, failed)).toMatchObject({
    reason: 'refused',
    step: 'tls',
    message: expect.stringContaining('does not speak TLS'),
  });
});

test('a server that goes on in no known way about the password is not asked again', () => {
  const error = new Error('SASL: Only mechanism(s) SCRAM-SHA-256 are supported');
  expect(connectionFailure(TARGET, { error, came: 'to the port', tlsOffered: true })).toMatchObject({
    reason: 'refused',
    step: 'login',
    message: expect.stringContaining('Only mechanism(s) SCRAM-SHA-256'),
  });
});

test.each([new TypeError("Cannot read properties of undefined (reading 'x')"), new Error('no row'), undefined])(
  'a fault of the program (%s) is no failure of the connection',
  (error) => {
    expect(connectionFailure(TARGET, { error, came: 'to the questions', tlsOffered: true })).toBeUndefined();
  },
);
