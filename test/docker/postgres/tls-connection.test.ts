import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import type { SslMode } from '../../../docker/postgres/connection-settings.ts';
import { withConnection } from '../../../docker/postgres/connection.ts';
import { inState, rowsOf } from '../support/findings-table.ts';
import { type Outcome, Stage } from '../support/stage.ts';

let stage: Stage;
let folder: string;
/** Root that the server's certificate leads to. */
let root: string;

/** The server's certificate names it by its IP address. */
async function serveTls(ip: string): Promise<void> {
  const authority = await generate([{ name: 'commonName', value: 'AutoDump test root' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'AutoDump test server' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 7, ip }] },
    ],
  });
  await stage.writeServerFile('server.crt', server.cert);
  await stage.writeServerFile('server.key', server.private);
  await stage.query('postgres', 'ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()');
  await writeFile(root, authority.cert);
}

/** Who may connect from where and how: lines of `pg_hba.conf`. */
async function admit(...rules: readonly string[]): Promise<void> {
  await stage.writeServerFile('pg_hba.conf', `${rules.join('\n')}\n`);
  await stage.query('postgres', 'SELECT pg_reload_conf()');
}

/** Each dump under a key of its own. */
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
  stage = await Stage.set();
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  root = join(folder, 'root.pem');
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT 1');
  await serveTls('127.0.0.1');
});

afterAll(async () => {
  await stage.strike();
  await rm(folder, { recursive: true });
});

describe('a server that demands TLS', () => {
  beforeAll(async () => {
    // The superuser of the tests comes without.
    await admit('hostnossl postgres all all scram-sha-256', 'hostssl app all all scram-sha-256');
  });

  test.each(['allow', 'prefer', 'require'] as const)(
    'is dumped with sslmode %s, whatever its certificate',
    async (sslmode) => {
      expect(await dump(sslmode)).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.each(['verify-ca', 'verify-full'] as const)(
    'is dumped with sslmode %s, as its root is trusted',
    async (sslmode) => {
      expect(await dump(sslmode, { NODE_EXTRA_CA_CERTS: root })).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.each(['verify-ca', 'verify-full'] as const)(
    'is refused with sslmode %s, as its root is not trusted',
    async (sslmode) => {
      expect(await dump(sslmode)).toMatchObject({
        status: 77,
        stderr: expect.stringContaining('No trusted TLS connection'),
      });
    },
  );

  test('refuses sslmode disable', async () => {
    expect(await dump('disable')).toMatchObject({ status: 77, stderr: expect.stringContaining('pg_hba.conf') });
  });

  test('tells of a wrong password rather than of the lack of TLS', async () => {
    const { status, stderr } = await stage.dump('app', { secret: { sslmode: 'prefer', password: 'wrong' } });
    expect({ status, stderr }).toEqual({ status: 77, stderr: expect.stringContaining('The password is wrong') });
  });

  test.each(['allow', 'prefer'] as const)(
    'tells with sslmode %s of a missing password rather than of plain text that is not let in',
    async (mode) => {
      const { host, port, user } = stage.postgres;
      const target = { host, port, user, password: '', database: 'app' };
      const { signal } = new AbortController();
      await expect(withConnection(target, { mode }, signal, () => Promise.resolve())).rejects.toMatchObject({
        reason: 'refused',
        message: expect.stringContaining('set the variable PGPASSWORD'),
      });
    },
  );
});

describe('the checks of a server that demands TLS', () => {
  beforeAll(async () => {
    await admit('hostnossl postgres all all scram-sha-256', 'hostssl app all all scram-sha-256');
  });

  test.each([
    ['prefer', 'the certificate is not verified'],
    ['verify-ca', 'the certificate is trusted (sslmode verify-ca)'],
    ['verify-full', 'the certificate is trusted and names the host'],
  ] as const)('tell with sslmode %s that %s', async (sslmode, told) => {
    const outcome = await stage.check('app', { secret: { sslmode }, environment: { NODE_EXTRA_CA_CERTS: root } });
    expect(outcome.status).toBe(0);
    expect(rowsOf(outcome).TLS).toEqual(['ok', expect.stringMatching(/^TLSv1\.[23], /)]);
    expect(rowsOf(outcome).TLS?.[1]).toContain(told);
  });

  test('find a certificate that is not trusted', async () => {
    const outcome = await stage.check('app', { secret: { sslmode: 'verify-full' } });
    expect(outcome.status).toBe(77);
    expect(inState(outcome, 'problem')).toEqual(['TLS']);
    expect(rowsOf(outcome)).toMatchObject({
      Port: ['ok', expect.anything()],
      TLS: ['problem', expect.stringContaining('No trusted TLS connection')],
      Login: ['unchecked', expect.anything()],
    });
  });

  test('find that plain text is not let in', async () => {
    const outcome = await stage.check('app', { secret: { sslmode: 'disable' } });
    expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('pg_hba.conf') });
    expect(inState(outcome, 'problem')).toEqual(['Login']);
  });
});

describe('a server whose certificate names another', () => {
  beforeAll(async () => {
    await admit('host all all all scram-sha-256');
    await serveTls('127.0.0.2');
  });

  test('is refused with sslmode verify-full', async () => {
    expect(await dump('verify-full', { NODE_EXTRA_CA_CERTS: root })).toMatchObject({
      status: 77,
      stderr: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  test('is dumped with sslmode verify-ca', async () => {
    expect(await dump('verify-ca', { NODE_EXTRA_CA_CERTS: root })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a server without TLS', () => {
  beforeAll(async () => {
    await admit('host all all all scram-sha-256');
    await stage.query('postgres', 'ALTER SYSTEM SET ssl = off', 'SELECT pg_reload_conf()');
  });

  test.each(['disable', 'allow', 'prefer'] as const)('is dumped with sslmode %s', async (sslmode) => {
    expect(await dump(sslmode)).toMatchObject({ status: 0, stderr: '' });
  });

  test.each(['require', 'verify-ca', 'verify-full'] as const)('is refused with sslmode %s', async (sslmode) => {
    expect(await dump(sslmode)).toMatchObject({ status: 77, stderr: expect.stringContaining('does not speak TLS') });
  });
});
