import { GetObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { STATUS_KEY } from '../../../contract.ts';
import { statusSchema } from '../../../operator/status/schema.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld } from '../support/app-world.ts';
import { check, makeOverdue, stateBucketOf } from '../support/overdue.ts';

/** Names and states of the secrets in the status. */
async function statusOf(app: AppWorld): Promise<readonly (readonly [string, string])[]> {
  const { Body } = await app.world.s3.send(new GetObjectCommand({ Bucket: stateBucketOf(app), Key: STATUS_KEY }));
  const { secrets } = statusSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  return secrets.map(({ secret, state }) => [secret, state]);
}

const shared = appOnPostgres(synthesizedApp);

test('a dump that is missing is reported once and by name, and when it is caught up', async () => {
  const { cdkOut, folder, server } = shared();
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world } = app;
  try {
    const arn = await app.createSecret('prod/orders', { value: { bucketname: app.bucket } });
    await app.createSecret('prod/broken', { Tags: [{ Key: 'autodump:start-schedule', Value: 'every day' }] });
    // Its tags were reported when they were scanned.
    expect(await check(app)).toEqual([]);

    await makeOverdue(app, arn);
    expect(await statusOf(app)).toEqual([
      ['prod/broken', 'broken tag'],
      ['prod/orders', 'no dump'],
    ]);
    const [message = '', ...others] = await check(app);
    expect(others).toEqual([]);
    expect(message).toContain('OVERDUE: prod/orders\nMissing: ');
    expect(message).toContain('Newest dump: none in ');
    expect(message).toContain('Its run: Step Functions has none\nWhat to do: docs/operations.md#dump-overdue');
    expect(await check(app)).toEqual([]);

    const [, payload = ''] = /^To dump it now: aws lambda invoke .* --payload '(.*)' /m.exec(message) ?? [];
    const { payload: started } = (await world.invoke('Scanner/Function', JSON.parse(payload))) as {
      payload: { execution: string };
    };
    const execution = world.executions.find((one) => one.arn === started.execution);
    expect((await execution?.ended)?.status).toBe('SUCCEEDED');
    expect(await statusOf(app)).toContainEqual(['prod/orders', 'overdue']);
    expect(await check(app)).toEqual([expect.stringContaining('CAUGHT UP: prod/orders')]);
    expect(await statusOf(app)).toContainEqual(['prod/orders', 'fresh']);
    expect(world.iam.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  } finally {
    await world.stop();
  }
});
