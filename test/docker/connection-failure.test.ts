import { expect, test } from '@jest/globals';
import pg from 'pg';

import { connectionFailure } from '../../docker/connection-failure.ts';

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

test.each([
  ['57P03', 'tryAgain', 'starting up'],
  ['57P01', 'tryAgain', 'shutting down'],
  ['53300', 'tryAgain', 'connections'],
  ['08006', 'tryAgain', 'broke'],
  ['28P01', 'refused', 'password'],
  ['28000', 'refused', 'pg_hba.conf'],
  ['3D000', 'refused', 'databasename'],
  ['42501', 'refused', 'privilege'],
  ['XX000', 'refused', 'refused'],
])('SQLSTATE %s: %s', (code, reason, told) => {
  const failure = connectionFailure(TARGET, { error: sqlState(code), tlsOffered: true });
  expect(failure.reason).toBe(reason);
  expect(failure.message).toContain(told);
  expect(failure.message).toContain(`in the language of the server (${code})`);
});

test.each([
  [coded('ENOTFOUND'), 'tryAgain', 'does not resolve'],
  [coded('ECONNREFUSED'), 'tryAgain', 'nothing listens'],
  [coded('ECONNRESET'), 'tryAgain', 'ECONNRESET'],
  [new Error('timeout expired'), 'tryAgain', 'timeout expired'],
  [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'refused', 'No trusted TLS connection'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'refused', 'No trusted TLS connection'],
])('%s: %s', (error, reason, told) => {
  const failure = connectionFailure(TARGET, { error, tlsOffered: true });
  expect(failure.reason).toBe(reason);
  expect(failure.message).toContain('db.example.com port 5432');
  expect(failure.message).toContain(told);
});

test('a server without TLS is refused by that name', () => {
  const failure = connectionFailure(TARGET, { error: new Error('whatever pg says'), tlsOffered: false });
  expect(failure.reason).toBe('refused');
  expect(failure.message).toContain('does not speak TLS');
});
