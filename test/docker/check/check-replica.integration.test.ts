import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rowsOf } from '../support/findings-table.ts';
import { becomeReplica } from '../support/replica.ts';
import { keyOf, Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE logged AS SELECT 1 AS i',
    'CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS i',
    "CREATE ROLE strict LOGIN SUPERUSER PASSWORD 'p'",
    'ALTER ROLE strict SET default_transaction_isolation TO serializable',
    'CHECKPOINT',
  );
  await becomeReplica(stage);
});

afterAll(async () => {
  await stage.tearDown();
});

test('a replica can be dumped, with warnings about canceled queries and missing rows', async () => {
  const outcome = await stage.check('app');
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(rowsOf(outcome)).toMatchObject({
    'Left out': ['warning', expect.stringContaining('rows of the unlogged tables public.unlogged')],
    Replica: [
      'warning',
      expect.stringMatching(/by more than max_standby_streaming_delay, which is 30s; hot_standby_feedback.* is off\./),
    ],
  });
  const dumped = await stage.dump('app');
  expect(dumped).toMatchObject({ status: 0, stdout: expect.stringContaining('Warning: Replica: yes') });
  expect(await stage.hasObject(keyOf('app'))).toBe(true);
});

test('a role whose transactions are serializable, which a replica does not support, is refused by the check and the dump', async () => {
  const secret = { username: 'strict', password: 'p' };
  const refusal = { status: 77, stderr: expect.stringContaining('cannot use serializable mode in a hot standby') };
  expect(await stage.check('app', { secret })).toMatchObject(refusal);
  expect(await stage.dump('app', { secret, environment: { AUTODUMP_WHEN: '2026-11-22T09:00:00Z' } })).toMatchObject(
    refusal,
  );
});

test('a replica that never cancels queries causes no warning', async () => {
  await stage.writeServerFile('postgresql.auto.conf', 'max_standby_streaming_delay = -1\n');
  await stage.query('postgres', 'SELECT pg_reload_conf()');
  expect(rowsOf(await stage.check('app'))).toMatchObject({ Replica: ['ok', expect.stringContaining('never cancels')] });
});
