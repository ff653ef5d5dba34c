import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { untilFound } from '../../../support/until.ts';
import { pgDumpOf, processes } from '../../support/processes.ts';
import { becomeReplica } from '../../support/replica.ts';
import { keyOf, type Running, Stage } from '../../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    ...['one', 'other'].map(
      (name) => `CREATE TABLE ${name} AS SELECT i, sha512(i::text::bytea) FROM generate_series(1, 1000000) i`,
    ),
  );
  await stage.createDatabase('small', 'CREATE TABLE held (i int)', 'CREATE TABLE free (i int)', 'CHECKPOINT');
});

/** No failure leaves anything behind, not even a process. */
afterEach(async () => {
  expect(await stage.openUploads()).toBe(0);
  expect(await stage.leftovers()).toEqual([]);
  expect((await processes()).filter(({ args }) => args.includes(`--file=${stage.scratch}`))).toEqual([]);
});

afterAll(async () => {
  await stage.tearDown();
});

/** Starts a dump with two connections. */
async function start(database = 'app', environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  return stage.start(database, { secret: { parallel: 2 }, environment });
}

/** PID of one of the processes that pg_dump has started, one per connection. */
async function workerOf(running: Running): Promise<number> {
  const { pid } = await pgDumpOf(running);
  return untilFound(async () => (await processes()).find(({ parent }) => parent === pid)?.pid);
}

test('a dump is worth another try if one of its processes is killed', async () => {
  const running = await start();
  await stage.untilDumpReads(running);
  process.kill(await workerOf(running), 'SIGKILL');
  const { status, stderr } = await running.outcome;
  expect({ status, stderr }).toEqual({
    status: 75,
    stderr: expect.stringContaining('A process of pg_dump was ended by a signal'),
  });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
});

test('a dump is worth another try if the server ends one of its connections', async () => {
  const running = await start();
  const backend = await stage.untilDumpReads(running);
  await stage.query('postgres', `SELECT pg_terminate_backend(${backend})`);
  const { status, stderr } = await running.outcome;
  expect({ status, stderr }).toEqual({
    status: 75,
    stderr: expect.stringContaining('connection to the server was lost'),
  });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
});

test.each([
  ['SIGTERM', 75],
  ['SIGINT', 130],
] as const)('%s ends the dump and all its processes', async (signal, expected) => {
  const running = await start();
  await stage.untilDumpReads(running);
  running.process.kill(signal);
  const { status, stderr } = await running.outcome;
  expect({ status, stderr }).toEqual({ status: expected, stderr: expect.stringContaining(`Ended by ${signal}`) });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
});

test('a table that is locked exclusively when the dump starts is waited for', async () => {
  await stage.whileLocked('small', 'held', async (release) => {
    const running = await start('small');
    await stage.untilDumpWaits(running);
    await release();
    expect(await running.outcome).toMatchObject({ status: 0, stderr: '' });
  });
  expect((await stage.manifestOf(keyOf('small'))).dump).toMatchObject({ way: 'parallel', connections: 2 });
});

test('a replica is dumped with several connections', async () => {
  await becomeReplica(stage);
  const when = '2026-11-22T09:00:00Z';
  const running = await start('small', { AUTODUMP_WHEN: when });
  expect(await running.outcome).toMatchObject({ status: 0, stderr: '' });
  expect((await stage.manifestOf(keyOf('small', when))).dump).toMatchObject({ way: 'parallel', connections: 2 });
});
