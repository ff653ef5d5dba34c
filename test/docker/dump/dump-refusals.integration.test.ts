import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clientFolder } from '../support/client-folder.ts';
import { freePort } from '../support/free-port.ts';
import { keyOf, type RunOptions, Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE plain AS SELECT 1 AS i',
    'CREATE SCHEMA "closed off"',
    'CREATE TABLE "closed off"."T" (id serial)',
    'CREATE TABLE tenants (tenant text)',
    'ALTER TABLE tenants ENABLE ROW LEVEL SECURITY',
    `CREATE ROLE nobody_yet LOGIN PASSWORD 'p'`,
    `CREATE ROLE some_rows LOGIN PASSWORD 'p' IN ROLE pg_read_all_data`,
    `CREATE ROLE all_rows LOGIN PASSWORD 'p' BYPASSRLS IN ROLE pg_read_all_data`,
    `CREATE ROLE kept_out LOGIN PASSWORD 'p'`,
    `CREATE ROLE one_only LOGIN PASSWORD 'p' CONNECTION LIMIT 0`,
  );
  await stage.createDatabase('private', 'REVOKE CONNECT ON DATABASE private FROM PUBLIC');
});

afterAll(async () => {
  await stage.tearDown();
});

afterEach(async () => {
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
  expect(await stage.leftovers()).toEqual([]);
});

/** Expects a failure with a message of one line, without a stack. */
async function expectFailure(options: RunOptions, status: number, message: string, database = 'app'): Promise<void> {
  const outcome = await stage.dump(database, options);
  expect(outcome).toMatchObject({ status, stderr: expect.stringContaining(message) });
  expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  expect(outcome.stderr).not.toMatch(/\n {4}at /);
}

describe('the database refuses', () => {
  test('a wrong password, which is not shown', async () => {
    const password = 'wrong-5f2c81';
    const { status, stdout, stderr } = await stage.dump('app', { secret: { password } });
    expect(status).toBe(77);
    expect(stderr).toContain('Wrong password');
    expect(stdout + stderr).not.toContain(password);
  });

  test('an unknown database', () => expectFailure({}, 77, 'There is no such database', 'nowhere'));

  test('a user without the privilege to connect', () =>
    expectFailure({ secret: { username: 'kept_out', password: 'p' } }, 77, 'CONNECT on the database', 'private'));

  test('TLS, if sslmode requires it', () =>
    expectFailure({ secret: { sslmode: 'require' } }, 77, 'does not support TLS'));

  test('access to tables, each named with its schema', () =>
    expectFailure(
      { secret: { username: 'nobody_yet', password: 'p' } },
      77,
      'The user nobody_yet may not read "closed off"."T", "closed off"."T_id_seq", public.plain, public.tenants',
    ));

  test('access to all rows of a table', () =>
    expectFailure(
      { secret: { username: 'some_rows', password: 'p' } },
      77,
      'is subject to row-level security on public.tenants',
    ));
});

test('a user who may read everything needs no further privilege', async () => {
  await stage.createDatabase('readable', 'CREATE TABLE t (id serial)', 'ALTER TABLE t ENABLE ROW LEVEL SECURITY');
  expect(await stage.dump('readable', { secret: { username: 'all_rows', password: 'p' } })).toMatchObject({
    status: 0,
  });
});

test('if the login is refused, the secret is read again: it may have been rotated meanwhile', async () => {
  await stage.createDatabase('rotated');
  expect(await stage.dump('rotated', { firstSecret: { password: 'before' } })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('The secret has changed since it was read, so the checks are repeated.'),
  });
});

describe('a database that cannot be reached is worth another try', () => {
  test('with a closed port', async () =>
    expectFailure({ secret: { port: await freePort() } }, 75, 'nothing listens on that port'));

  test('with an unknown host name', () =>
    expectFailure({ secret: { host: 'no-such-host.invalid' } }, 75, 'no-such-host.invalid'));

  test('with all connections in use', () =>
    expectFailure({ secret: { username: 'one_only', password: 'p' } }, 75, 'lacks resources: connections'));
});

describe('a secret is refused', () => {
  test('for another engine', () => expectFailure({ secret: { engine: 'mysql' } }, 65, 'engine is mysql'));

  test('with missing and invalid fields', () =>
    expectFailure(
      { secret: { username: undefined, port: 'x' } },
      65,
      'username is missing; port must be a whole number',
    ));

  test('that does not exist', () =>
    expectFailure({ secret: 'none' }, 77, "ResourceNotFoundException: Secrets Manager can't find"));

  test('with an RDS endpoint in a Region without root certificate', () =>
    expectFailure(
      { secret: { host: 'app.c9akciq32xyz.il-central-1.rds.amazonaws.com' } },
      77,
      'for the Region il-central-1',
    ));
});

describe('of the AWS services', () => {
  test('S3 refuses a bucket that does not exist', () =>
    expectFailure({ environment: { AUTODUMP_BUCKETS: 'gone' } }, 77, 'NoSuchBucket'));

  test('S3 that cannot be reached is worth another try', async () =>
    expectFailure(
      { environment: { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` } },
      75,
      'Could not list s3://dumps/',
    ));

  test('Secrets Manager that cannot be reached is worth another try', async () =>
    expectFailure(
      { environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${await freePort()}` } },
      75,
      'Could not read the secret',
    ));
});

describe('the program refuses to run', () => {
  test('without a client', () =>
    expectFailure({ environment: { PATH: '/nonexistent' } }, 77, 'no pg_dump with a pg_restore'));

  test('with a client older than the server', async () => {
    const old = await clientFolder('echo "pg_dump (PostgreSQL) 9.6.24"');
    const [folder = ''] = old.path.split(':');
    await expectFailure(
      { environment: { PATH: folder } },
      77,
      'The server runs PostgreSQL 15, and pg_dump must not be older. The PATH has only 9.6.24',
    );
    await old.remove();
  });

  test('with an invalid environment', () =>
    expectFailure({ environment: { AUTODUMP_WHEN: 'tomorrow' } }, 64, 'AUTODUMP_WHEN must be a UTC time'));
});
