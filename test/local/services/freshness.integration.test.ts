import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld } from '../support/app-world.ts';

const shared = appOnPostgres(synthesizedApp);

const Key = 'freshness.json';
const stateSchema = z.object({
  version: z.number(),
  secrets: z.record(z.string(), z.looseObject({ next: z.string().optional() })),
});

test('a dump that is missing is reported once and by name, with broken tags, and when it is caught up', async () => {
  const { cdkOut, folder, server } = shared();
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world } = app;
  const Bucket = world.buckets.find((name) => name.includes('freshness'));
  const check = async (): Promise<readonly string[]> => {
    const before = app.events.length;
    world.triggerSchedules();
    await world.settled();
    return app.events.slice(before).flatMap((event) => (event.kind === 'message published' ? [event.text] : []));
  };
  try {
    const arn = await app.createSecret('prod/orders', { value: { bucketname: app.bucket } });
    await app.createSecret('prod/broken', { Tags: [{ Key: 'autodump:start-schedule', Value: 'every day' }] });
    expect(await check()).toEqual([
      expect.stringContaining('CANNOT BE FOLLOWED: prod/broken\nReason: schedule "every'),
    ]);

    // As if it had been tagged days ago.
    const { Body } = await world.s3.send(new GetObjectCommand({ Bucket, Key }));
    const state = stateSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    const day = new Date(Date.now() - 26 * 60 * 60_000).toISOString().slice(0, 10);
    const secrets = { ...state.secrets, [arn]: { ...state.secrets[arn], next: `${day}T00:00:00Z` } };
    await world.s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify({ ...state, secrets }) }));
    const [message = '', ...others] = await check();
    expect(others).toEqual([]);
    expect(message).toContain('OVERDUE: prod/orders\nMissing: ');
    expect(message).toContain('Newest dump: none in ');
    expect(message).toContain('Its run: Step Functions has none\nWhat to do: docs/operations.md#dump-overdue');
    expect(await check()).toEqual([]);

    expect((await app.runNow(arn)).end?.status).toBe('SUCCEEDED');
    expect(await check()).toEqual([expect.stringContaining('CAUGHT UP: prod/orders')]);
    expect(world.iam.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  } finally {
    await world.stop();
  }
});
