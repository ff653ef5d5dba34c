import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { untilFound } from '../../support/until.ts';
import { clientFolder } from '../support/client-folder.ts';
import { ACCESS_DENIED, startFaultyS3 } from '../support/faulty-s3.ts';
import { inState, rowsOf, sqlOf } from '../support/findings-table.ts';
import { freePort } from '../support/free-port.ts';
import { BUCKET, keyOf, type Outcome, type RunOptions, Stage } from '../support/stage.ts';

const CHECKS = [
  'Secret',
  'Key',
  'Bucket',
  'Host name',
  'Port',
  'TLS',
  'Login',
  'Database',
  'Pooler',
  'Server version',
  'Filters',
  'Tables, sequences',
  'Row security',
  'Large objects',
  'Left out',
  'Restorability',
  'Table locks',
  'Replica',
];

let stage: Stage;

beforeAll(async () => {
  // So that the server sees that a client is gone, although its session waits.
  stage = await Stage.setUp('client_connection_check_interval=50ms');
  await stage.createDatabase(
    'app',
    'CREATE TABLE t AS SELECT 1',
    `CREATE ROLE kept_out LOGIN PASSWORD 'p'`,
    `CREATE ROLE one_only LOGIN PASSWORD 'p' CONNECTION LIMIT 0`,
  );
  await stage.createDatabase('private "1"', 'REVOKE CONNECT ON DATABASE "private ""1""" FROM PUBLIC');
});

afterAll(async () => {
  await stage.tearDown();
});

/** Runs the checks, and expects them to leave nothing behind and to print no stack. */
async function check(database: string, options?: RunOptions): Promise<Outcome> {
  const outcome = await stage.check(database, options);
  expect(await stage.openUploads()).toBe(0);
  expect(await stage.leftovers()).toEqual([]);
  expect(outcome.stdout + outcome.stderr).not.toMatch(/\n {4}at /);
  return outcome;
}

test('a check that is interrupted while it tries an upload leaves none open', async () => {
  let respond: () => void = () => undefined;
  const after = new Promise<void>((resolve) => (respond = resolve));
  const s3 = await startFaultyS3(stage.s3.endpoint, (request) => /^POST .*\?uploads/.test(request), { after });
  // Something that the checks read, so that they have not ended.
  const interrupted = stage.whileLocked('app', 'pg_catalog.pg_largeobject_metadata', async () => {
    const running = await stage.start('app', {
      args: ['dump', '--check'],
      environment: { AWS_ENDPOINT_URL_S3: s3.endpoint },
    });
    await Promise.all([s3.hit, stage.untilDumpWaits(running)]);
    running.process.kill('SIGTERM');
    await untilFound(async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'autodump' AND wait_event_type = 'Lock'";
      return (await stage.query('postgres', waiting)).length === 0 ? true : undefined;
    });
    respond();
    expect(await running.outcome).toMatchObject({ status: 75, stderr: expect.stringContaining('SIGTERM') });
  });
  await interrupted.finally(async () => {
    respond();
    await s3.stop();
  });
  expect(await stage.openUploads()).toBe(0);
});

test('a database that can be dumped has no problems, and the bucket stays empty', async () => {
  const outcome = await check('app');
  expect(outcome).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('All checks passed: a dump can start.'),
  });
  expect(Object.keys(rowsOf(outcome))).toEqual(CHECKS);
  // Whether the client programs are up to date depends on the machine.
  const certain = CHECKS.filter((name) => name !== 'TLS' && name !== 'Server version');
  expect(inState(outcome, 'ok')).toEqual(expect.arrayContaining(certain));
  expect(rowsOf(outcome)).toMatchObject({
    Key: ['ok', `s3://${BUCKET}/${keyOf('app')} is free`],
    'Host name': ['ok', '127.0.0.1 resolves to 127.0.0.1'],
    TLS: ['warning', 'none: the connection can be eavesdropped (sslmode prefer)'],
    'Server version': [
      expect.stringMatching(/ok|warning/),
      expect.stringMatching(/^PostgreSQL 15\..* pg_dump \d+\.\d+ with (gzip|zstd)/),
    ],
  });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
});

test('with several connections, it says how many read rows, and why not as many as asked for', async () => {
  const outcome = await check('app', { secret: { parallel: 2 } });
  expect(Object.keys(rowsOf(outcome))).toEqual([...CHECKS, 'Parallel']);
  expect(rowsOf(outcome).Parallel).toEqual([
    'ok',
    'connections that read rows: 1, not 2 as the secret asks for, because the number of tables is 1',
  ]);
});

test('a check needs neither a scheduled time nor an execution', async () => {
  const environment = { AUTODUMP_WHEN: undefined, AUTODUMP_EXECUTION: undefined };
  expect(await check('app', { environment })).toMatchObject({ status: 0 });
  expect(await stage.dump('app', { environment })).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('AUTODUMP_WHEN is missing'),
  });
});

test('a field that may be misspelled is ignored with a warning, in the check and in the log', async () => {
  const outcome = await check('app', { secret: { paralell: 4 } });
  const words = 'the field "paralell" is ignored: did you mean parallel?';
  expect(outcome.status).toBe(0);
  expect(rowsOf(outcome).Secret).toEqual(['warning', `readable, with all required fields; ${words}`]);
  expect(outcome.stdout).toContain(`Warning: Secret: ${words}\n`);
});

test.each([[['dump', '--chekc']], [['dump', '--check', 'more']], [['--check']]])('%j is refused', async (args) => {
  expect(await stage.dump('app', { args })).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('--check'),
  });
});

test('the table is only colored for terminals', async () => {
  expect((await check('app')).stdout).not.toContain('\u001b');
  expect((await check('app', { environment: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[32mok');
});

test('names with control or format characters cannot forge lines of the log', async () => {
  const name = 'two\nlines \u001b[31mred \u202eder \u{e0041}';
  await stage.createDatabase(name, `CREATE TABLE ${pg.escapeIdentifier(name)} ()`);
  const outcome = await check(name, { secret: { username: 'kept_out', password: 'p' } });
  expect(inState(outcome, 'problem')).toEqual(['Tables, sequences']);
  expect(outcome.stdout + outcome.stderr).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|^lines/mu);
  expect(outcome.stdout).toContain(
    'GRANT SELECT ON TABLE public.U&"two\\000alines \\001b[31mred \\202eder \\+0e0041" TO kept_out;',
  );
  await stage.query(name, ...sqlOf(outcome));
  expect(await check(name, { secret: { username: 'kept_out', password: 'p' } })).toMatchObject({ status: 0 });
});

/** The checks from this one on. */
function checksFrom(name: string): readonly string[] {
  return CHECKS.slice(CHECKS.indexOf(name));
}

describe('a failed connection is a problem of the step that failed', () => {
  test.each<[string, string, number, string, () => RunOptions | Promise<RunOptions>, string?]>([
    ['an unknown host', 'Host name', 75, 'no-such-host.invalid', () => ({ secret: { host: 'no-such-host.invalid' } })],
    ['a closed port', 'Port', 75, 'nothing listens on that port', async () => ({ secret: { port: await freePort() } })],
    ['TLS that is refused', 'TLS', 77, 'does not support TLS', () => ({ secret: { sslmode: 'require' } })],
    ['a wrong password', 'Login', 77, 'Wrong password', () => ({ secret: { password: 'wrong-5f2c81' } })],
    [
      'no connection left',
      'Login',
      75,
      'lacks resources: connections',
      () => ({ secret: { username: 'one_only', password: 'p' } }),
    ],
    ['an unknown database', 'Database', 77, 'There is no such database', () => ({}), 'nowhere'],
  ])('with %s', async (_, step, status, message, options, database = 'app') => {
    const outcome = await check(database, await options());
    expect(outcome).toMatchObject({ status, stderr: expect.stringContaining(message) });
    expect(outcome.stdout + outcome.stderr).not.toContain('wrong-5f2c81');
    // It is known only of a connection that was made.
    expect(rowsOf(outcome).TLS?.[0]).not.toBe('ok');
    expect(inState(outcome, 'problem')).toEqual([step]);
    expect(inState(outcome, 'unchecked')).toEqual(checksFrom(step).slice(1));
    expect(sqlOf(outcome)).toEqual([]);
    // A dump fails in the same way.
    expect(await stage.dump(database, await options())).toMatchObject({
      status,
      stderr: expect.stringContaining(message),
    });
  });

  test('and it is known that there was no TLS, if the secret demands none', async () => {
    const outcome = await check('app', { secret: { password: 'wrong', sslmode: 'disable' } });
    expect(rowsOf(outcome).TLS).toEqual(['warning', 'none: the connection can be eavesdropped (sslmode disable)']);
  });

  test('without the privilege to connect, which the SQL grants', async () => {
    const secret = { username: 'kept_out', password: 'p' };
    const outcome = await check('private "1"', { secret });
    expect(outcome.status).toBe(77);
    expect(inState(outcome, 'problem')).toEqual(['Database']);
    expect(sqlOf(outcome)).toEqual(['GRANT CONNECT ON DATABASE "private ""1""" TO "kept_out";']);
    await stage.query('private "1"', ...sqlOf(outcome));
    expect(await check('private "1"', { secret })).toMatchObject({ status: 0 });
  });

  test('with an RDS endpoint whose root certificate is missing', async () => {
    const secret = { host: 'db.abcdefgh.il-central-1.rds.amazonaws.com' };
    const outcome = await check('app', { secret });
    expect(outcome.status).toBe(77);
    expect(inState(outcome, 'problem')).toEqual(['TLS']);
    expect(inState(outcome, 'unchecked')).toEqual(checksFrom('Host name').filter((name) => name !== 'TLS'));
  });
});

test.each([
  ['that is invalid', { engine: 'mysql' }, 65, 'engine is mysql'],
  ['that does not exist', 'none', 77, 'ResourceNotFoundException'],
] as const)('all other checks are skipped for a secret %s', async (_, secret, status, message) => {
  const outcome = await check('app', { secret });
  expect(outcome).toMatchObject({ status, stderr: expect.stringContaining(message) });
  expect(inState(outcome, 'problem')).toEqual(['Secret']);
  expect(inState(outcome, 'unchecked')).toEqual(CHECKS.slice(1));
});

test('a server newer than every client is a problem, and the privileges are still checked', async () => {
  const old = await clientFolder('echo "pg_dump (PostgreSQL) 9.6.24"');
  const outcome = await check('app', { environment: { PATH: old.path.split(':')[0] } });
  await old.remove();
  expect(outcome).toMatchObject({ status: 77, stderr: expect.stringContaining('The server runs PostgreSQL 15') });
  expect(inState(outcome, 'problem')).toEqual(['Server version']);
  expect(inState(outcome, 'unchecked')).toEqual([]);
});

describe('a bucket', () => {
  test('in which the key exists is no problem, and the finding says that the dump is done', async () => {
    const key = keyOf('app', '2026-11-22T09:00:00Z');
    await fetch(`${stage.s3.endpoint}/${BUCKET}/${key}`, { method: 'PUT', body: 'a dump' });
    const outcome = await check('app', { environment: { AUTODUMP_WHEN: '2026-11-22T09:00:00Z' } });
    expect(outcome.status).toBe(0);
    expect(rowsOf(outcome).Key).toEqual(['ok', expect.stringMatching(/already exists, 6 bytes: this dump exists/)]);
  });

  test('that does not exist is reported along with the problems of the database', async () => {
    const environment = { AUTODUMP_BUCKETS: 'gone' };
    const outcome = await check('app', { environment, secret: { password: 'wrong' } });
    const stderr = expect.stringMatching(
      /: 3 problems: \(1\) Key: .*NoSuchBucket.* \(2\) Bucket: .*NoSuchBucket.* \(3\) Login: .*Wrong password/,
    );
    expect(outcome).toMatchObject({ status: 77, stderr });
    expect(inState(outcome, 'problem')).toEqual(['Key', 'Bucket', 'Login']);
    expect(await stage.dump('app', { environment, secret: { password: 'wrong' } })).toMatchObject({
      status: 77,
      stderr,
    });
  });

  test.each([
    ['to create an upload', (request: string) => request.startsWith('POST')],
    ['to abort an upload', (request: string) => request.startsWith('DELETE')],
  ])('that refuses %s is reported before the dump', async (_, matches) => {
    const s3 = await startFaultyS3(stage.s3.endpoint, matches, ACCESS_DENIED);
    const environment = { AWS_ENDPOINT_URL_S3: s3.endpoint };
    const outcome = await stage.check('app', { environment });
    const dumped = await stage.dump('app', { environment });
    await s3.stop();
    await stage.abortUploads();
    const stderr = expect.stringContaining('AccessDenied');
    expect(outcome).toMatchObject({ status: 77, stderr });
    expect(inState(outcome, 'problem')).toEqual(['Bucket']);
    expect(dumped).toMatchObject({ status: 77, stderr });
    expect(dumped.stdout).not.toContain('Dumping');
    expect(await stage.hasObject(keyOf('app'))).toBe(false);
  });

  test('that may come back does not make a problem that stays worth another try', async () => {
    const environment = { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` };
    expect(await check('app', { environment, secret: { password: 'wrong' } })).toMatchObject({ status: 77 });
  });

  test('in which the upload is already aborted, as the first response was lost, is no problem', async () => {
    const gone = { status: 404, code: 'NoSuchUpload', message: 'The specified upload does not exist.' };
    const s3 = await startFaultyS3(stage.s3.endpoint, (request) => request.startsWith('DELETE'), gone);
    const outcome = await stage.check('app', { environment: { AWS_ENDPOINT_URL_S3: s3.endpoint } });
    await s3.stop();
    await stage.abortUploads();
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
  });

  test('that cannot be reached is worth another try', async () => {
    const environment = { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` };
    const outcome = await check('app', { environment });
    expect(outcome.status).toBe(75);
    expect(inState(outcome, 'problem')).toEqual(['Key', 'Bucket']);
  });
});
