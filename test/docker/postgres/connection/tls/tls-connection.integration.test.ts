import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import type { SslMode } from '../../../../../docker/postgres/connection/connection-settings.ts';
import { withConnection } from '../../../../../docker/postgres/connection/connection.ts';
import { inState, rowsOf } from '../../../support/findings-table.ts';
import { type Outcome, Stage } from '../../../support/stage.ts';

let stage: Stage;
let folder: string;
/** File of the root certificate that the server's certificate is issued by. */
let root: string;

/** Types of a certificate's alternative names. https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 */
type AltName = { readonly type: 2; readonly value: string } | { readonly type: 7; readonly ip: string };

/** Enables TLS with a new certificate for these names. */
async function enableTls(altNames: readonly AltName[], commonName = 'AutoDump test server'): Promise<void> {
  const authority = await generate([{ name: 'commonName', value: 'AutoDump test root' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName' as const, altNames: [...altNames] }]),
    ],
  });
  await stage.writeServerFile('server.crt', server.cert);
  await stage.writeServerFile('server.key', server.private);
  await stage.query('postgres', 'ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()');
  await writeFile(root, authority.cert);
}

const LOOPBACK: readonly AltName[] = [{ type: 7, ip: '127.0.0.1' }];

/** Sets the access rules: lines of `pg_hba.conf`. */
async function setAccessRules(...rules: readonly string[]): Promise<void> {
  await stage.writeServerFile('pg_hba.conf', `${rules.join('\n')}\n`);
  await stage.query('postgres', 'SELECT pg_reload_conf()');
}

/** Gives each dump a different scheduled time, and so a different key. */
let dumps = 0;

async function dump(sslmode: SslMode, environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  dumps += 1;
  const minute = String(dumps).padStart(2, '0');
  return stage.dump('app', {
    secret: { sslmode },
    environment: { AUTODUMP_WHEN: `2026-11-22T08:${minute}:00Z`, ...environment },
  });
}

beforeAll(async () => {
  stage = await Stage.setUp();
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  root = join(folder, 'root.pem');
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT 1');
  await enableTls(LOOPBACK);
});

afterAll(async () => {
  await stage.tearDown();
  await rm(folder, { recursive: true });
});

describe('a server that requires TLS', () => {
  beforeAll(async () => {
    // The superuser of the tests connects without TLS.
    await setAccessRules('hostnossl postgres all all scram-sha-256', 'hostssl app all all scram-sha-256');
  });

  test.each(['allow', 'prefer', 'require'] as const)(
    'is dumped with sslmode %s, whatever its certificate',
    async (sslmode) => {
      expect(await dump(sslmode)).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.each(['verify-ca', 'verify-full'] as const)(
    'is dumped with sslmode %s if its root certificate is trusted',
    async (sslmode) => {
      expect(await dump(sslmode, { NODE_EXTRA_CA_CERTS: root })).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.each(['verify-ca', 'verify-full'] as const)(
    'is dumped with sslmode %s if it is one of RDS behind another name',
    async (sslmode) => {
      await stage.trustAsRds(await readFile(root, 'utf8'), async () => {
        expect(await dump(sslmode)).toMatchObject({ status: 0, stderr: '' });
      });
    },
  );

  test.each(['verify-ca', 'verify-full'] as const)(
    'is refused with sslmode %s if its root certificate is not trusted',
    async (sslmode) => {
      const { status, stderr } = await dump(sslmode);
      expect(status).toBe(77);
      expect(stderr).toMatch(/No trusted TLS connection.*does not lead to a trusted root certificate/);
      expect(stderr).not.toMatch(/node/i);
    },
  );

  test('refuses sslmode disable', async () => {
    expect(await dump('disable')).toMatchObject({ status: 77, stderr: expect.stringContaining('pg_hba.conf') });
  });

  test('reports a wrong password rather than the failed fallback without TLS', async () => {
    const { status, stderr } = await stage.dump('app', { secret: { sslmode: 'prefer', password: 'wrong' } });
    expect({ status, stderr }).toEqual({ status: 77, stderr: expect.stringContaining('Wrong password') });
  });

  test.each(['allow', 'prefer'] as const)(
    'with sslmode %s reports a missing password rather than a refused connection without TLS',
    async (mode) => {
      const { host, port, user } = stage.postgres;
      const settings = { host, port, user, password: '', database: 'app' };
      const { signal } = new AbortController();
      await expect(withConnection(settings, { mode }, signal, () => Promise.resolve())).rejects.toMatchObject({
        reason: 'refused',
        message: expect.stringContaining('none was given: set PGPASSWORD'),
      });
    },
  );
});

describe('the checks of a server that requires TLS', () => {
  beforeAll(async () => {
    await setAccessRules('hostnossl postgres all all scram-sha-256', 'hostssl app all all scram-sha-256');
  });

  test.each([
    ['prefer', 'certificate not verified'],
    ['verify-ca', 'certificate trusted (sslmode verify-ca)'],
    ['verify-full', 'certificate trusted and valid for the host name'],
  ] as const)('report for sslmode %s: %s', async (sslmode, detail) => {
    const outcome = await stage.check('app', { secret: { sslmode }, environment: { NODE_EXTRA_CA_CERTS: root } });
    expect(outcome.status).toBe(0);
    expect(rowsOf(outcome).TLS).toEqual(['ok', expect.stringMatching(/^TLSv1\.[23], /)]);
    expect(rowsOf(outcome).TLS?.[1]).toContain(detail);
  });

  test('report a certificate that is not trusted', async () => {
    const outcome = await stage.check('app', { secret: { sslmode: 'verify-full' } });
    expect(outcome.status).toBe(77);
    expect(inState(outcome, 'problem')).toEqual(['TLS']);
    expect(rowsOf(outcome)).toMatchObject({
      Port: ['ok', expect.anything()],
      TLS: ['problem', expect.stringContaining('No trusted TLS connection')],
      Login: ['unchecked', expect.anything()],
    });
  });

  test('report that a connection without TLS is refused', async () => {
    const outcome = await stage.check('app', { secret: { sslmode: 'disable' } });
    expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('pg_hba.conf') });
    expect(inState(outcome, 'problem')).toEqual(['Login']);
  });
});

describe('a server whose certificate is for another host', () => {
  beforeAll(async () => {
    await setAccessRules('host all all all scram-sha-256');
    await enableTls([{ type: 7, ip: '127.0.0.2' }]);
  });

  test('is refused with sslmode verify-full', async () => {
    expect(await dump('verify-full', { NODE_EXTRA_CA_CERTS: root })).toMatchObject({
      status: 77,
      stderr: expect.stringMatching(/127\.0\.0\.2.*ERR_TLS_CERT_ALTNAME_INVALID.*sslmode to verify-ca/),
    });
  });

  test('is dumped with sslmode verify-ca', async () => {
    expect(await dump('verify-ca', { NODE_EXTRA_CA_CERTS: root })).toMatchObject({ status: 0, stderr: '' });
  });
});

test.each<[string, readonly AltName[], string]>([
  ['common name', [], '127.0.0.1'],
  ['DNS name', [{ type: 2, value: '127.0.0.1' }], 'AutoDump test server'],
])(
  'a server whose certificate has its address as a %s is dumped with sslmode verify-full',
  async (_, names, common) => {
    await setAccessRules('host all all all scram-sha-256');
    await enableTls(names, common);
    expect(await dump('verify-full', { NODE_EXTRA_CA_CERTS: root })).toMatchObject({ status: 0, stderr: '' });
  },
);

test('a server that only allows TLS of old versions is refused, in the words of OpenSSL', async () => {
  await stage.query(
    'postgres',
    "ALTER SYSTEM SET ssl_min_protocol_version TO 'TLSv1'",
    "ALTER SYSTEM SET ssl_max_protocol_version TO 'TLSv1.1'",
    'SELECT pg_reload_conf()',
  );
  const { status, stderr } = await dump('require');
  expect({ status, stderr }).toEqual({
    status: 77,
    stderr: expect.stringMatching(/: tlsv1 alert protocol version \(EPROTO\): check .*the TLS versions/),
  });
  await stage.query(
    'postgres',
    'ALTER SYSTEM RESET ssl_min_protocol_version',
    'ALTER SYSTEM RESET ssl_max_protocol_version',
    'SELECT pg_reload_conf()',
  );
});

describe('a server without TLS', () => {
  beforeAll(async () => {
    await setAccessRules('host all all all scram-sha-256');
    await stage.query('postgres', 'ALTER SYSTEM SET ssl = off', 'SELECT pg_reload_conf()');
  });

  test.each(['disable', 'allow', 'prefer'] as const)('is dumped with sslmode %s', async (sslmode) => {
    expect(await dump(sslmode)).toMatchObject({ status: 0, stderr: '' });
  });

  test.each(['require', 'verify-ca', 'verify-full'] as const)('is refused with sslmode %s', async (sslmode) => {
    expect(await dump(sslmode)).toMatchObject({ status: 77, stderr: expect.stringContaining('does not support TLS') });
  });
});
