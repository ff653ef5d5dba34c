import { DeleteSecretCommand, UntagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { World } from '../../../local/services/world.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld, SCHEDULE_TAG } from '../support/app-world.ts';

const shared = appOnPostgres(synthesizedApp);

/** That of all tests, each of which has its own secrets. */
let app: AppWorld;
let world: World;

beforeAll(async () => {
  const { cdkOut, folder, server } = shared();
  app = await AppWorld.start(cdkOut, folder, server);
  world = app.world;
});

afterAll(() => world.stop());

interface SecretOptions {
  readonly schedule?: string;
  readonly value?: object;
}

async function createSecret(name: string, { schedule = '@daily', value = {} }: SecretOptions = {}): Promise<string> {
  return app.createSecret(name, {
    value: { bucketname: app.bucket, ...value },
    Tags: [{ Key: SCHEDULE_TAG, Value: schedule }],
  });
}

async function dumps(secretName: string): Promise<readonly string[]> {
  return (await app.dumps()).filter((file) => file.startsWith(`${secretName}/`));
}

describe('a tagged secret', () => {
  test('is dumped at the scheduled time, and scheduled again', async () => {
    const arn = await createSecret('due');
    const { end } = await app.runNow(arn);
    expect(end?.status).toBe('SUCCEEDED');
    expect(await dumps('due')).toHaveLength(1);
    expect(app.allWaiting(arn)).toHaveLength(1);
  });

  test('has one execution per scheduled time, however often it is scanned', async () => {
    const arn = await createSecret('scanned');
    world.sendDeploymentEvent();
    world.triggerSchedules();
    await app.tagSecret(arn, { other: 'tag' });
    expect(app.runs.filter(({ input }) => input.includes(arn))).toHaveLength(1);
    expect(app.checksOf(arn)).toHaveLength(1);
    expect(world.deadLetters).toEqual([]);
  });
});

describe('while an execution is waiting', () => {
  test('changing the tag supersedes it, and starts one with the new schedule', async () => {
    const arn = await createSecret('moved', { schedule: '15 4 * * *' });
    const [old] = app.allWaiting(arn);
    await app.tagSecret(arn, { [SCHEDULE_TAG]: '45 5 * * *' });
    expect(app.allWaiting(arn)).toHaveLength(2);
    old?.wait?.finish();
    expect(await old?.ended).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'changed' } });
    expect(await dumps('moved')).toEqual([]);
    const { end } = await app.runNow(arn);
    expect(end?.status).toBe('SUCCEEDED');
    expect(await dumps('moved')).toEqual([expect.stringMatching(/T054500Z\.dmp$/)]);
  });

  test('removing the tag ends it gracefully', async () => {
    const arn = await createSecret('untagged');
    await world.secretsManager.send(new UntagResourceCommand({ SecretId: arn, TagKeys: [SCHEDULE_TAG] }));
    await world.settled();
    const { end } = await app.runNow(arn);
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'removed' } });
    expect(await dumps('untagged')).toEqual([]);
    expect(app.allWaiting(arn)).toEqual([]);
  });

  test.each([
    ['deleting the secret immediately', 'deleted', { ForceDeleteWithoutRecovery: true }],
    ['scheduling the deletion of the secret', 'recoverable', { RecoveryWindowInDays: 7 }],
  ])('%s ends it gracefully', async (_, name, options) => {
    const arn = await createSecret(name);
    await world.secretsManager.send(new DeleteSecretCommand({ SecretId: arn, ...options }));
    await world.settled();
    const { end } = await app.runNow(arn);
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'gone' } });
    expect(await dumps(name)).toEqual([]);
    expect(app.allWaiting(arn)).toEqual([]);
  });
});

test('a dump now is made although none is due, and the next scheduled one stays', async () => {
  const arn = await createSecret('now');
  const waiting = app.waiting(arn);
  const result = await world.invoke('Scanner/Function', { dumpNow: 'now' });
  expect(result).toMatchObject({ kind: 'returned', payload: { when: expect.any(String) } });
  const { payload } = result as { payload: { execution: string; when: string } };
  const started = world.executions.find((execution) => execution.arn === payload.execution);
  expect(await started?.ended).toMatchObject({ status: 'SUCCEEDED' });
  expect(await dumps('now')).toEqual([expect.stringContaining(payload.when.replace(/[-:]/g, ''))]);
  expect(app.waiting(arn)).toBe(waiting);
});

describe('other secrets are not affected by', () => {
  test('an invalid tag, which is reported with the name of its secret', async () => {
    let broken = '';
    const tag = async () => (broken = await createSecret('broken-tag', { schedule: 'every day' }));
    expect(await app.published(tag)).toEqual([expect.stringContaining('broken-tag: schedule "every day"')]);
    const arn = await createSecret('beside-tag');
    expect((await app.runNow(arn)).end?.status).toBe('SUCCEEDED');
    expect(await dumps('beside-tag')).toHaveLength(1);
    expect(world.executions.filter(({ input }) => input.includes(broken))).toEqual([]);
  });

  test('an invalid value, whose execution fails with the reason', async () => {
    const broken = await createSecret('broken-value', { value: { engine: 'mysql' } });
    const arn = await createSecret('beside-value');
    const { end } = await app.runNow(broken);
    expect(end).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('exit status 65') });
    expect((await app.runNow(arn)).end?.status).toBe('SUCCEEDED');
    expect(await dumps('broken-value')).toEqual([]);
    expect(await dumps('beside-value')).toHaveLength(1);
    expect(app.allWaiting(broken)).toHaveLength(1);
  });
});
