import { GetObjectCommand, GetObjectTaggingCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { STATUS_KEY } from '../../../contract.ts';
import { statusSchema } from '../../../operator/status/schema.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld } from '../support/app-world.ts';
import { check, makeOverdue, stateBucketOf } from '../support/overdue.ts';
import { vanish } from '../support/vanish.ts';

/** Names and states of the secrets in the status. */
async function statusOf(app: AppWorld): Promise<readonly (readonly [string, string])[]> {
  const { Body } = await app.world.s3.send(new GetObjectCommand({ Bucket: stateBucketOf(app), Key: STATUS_KEY }));
  const { secrets } = statusSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  return secrets.map(({ secret, state }) => [secret, state]);
}

/** How many dumps are missing, and for how long, depends on the time of the day. */
function stable(text: string): string {
  return text
    .replace(/\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\dZ/g, '<time>')
    .replace(/\d dumps, /, '<some> dumps, ')
    .replace(/Since: .* ago/, 'Since: <hours> ago');
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
    const messages = await check(app);
    expect(messages.map(stable)).toEqual([
      `Dumps and drills of account 123456789012 in us-west-2: 1 overdue.

OVERDUE: prod/orders
Missing: <some> dumps, scheduled from <time> to <time>
Since: <hours> ago
Newest dump: none in autodump-archive-bucket
Its run: there is none in Step Functions
What to do: docs/operations.md#dump-overdue
To dump it now: aws lambda invoke --region us-west-2 --function-name AutoDump-Scanner-Function --cli-binary-format raw-in-base64-out --payload '{"dumpNow":"prod/orders"}' /dev/stdout
`,
    ]);
    expect(await check(app)).toEqual([]);

    const [, payload = ''] = /^To dump it now: aws lambda invoke .* --payload '(.*)' /m.exec(messages.join()) ?? [];
    const { payload: started } = (await world.invoke('Scanner/Function', JSON.parse(payload))) as {
      payload: { execution: string };
    };
    const execution = world.executions.find((one) => one.arn === started.execution);
    expect((await execution?.ended)?.status).toBe('SUCCEEDED');
    expect(await statusOf(app)).toContainEqual(['prod/orders', 'overdue']);
    expect((await check(app)).map(stable)).toEqual([
      `Dumps and drills of account 123456789012 in us-west-2: 1 caught up.

CAUGHT UP: prod/orders
Was missing: <some> dumps, scheduled from <time> to <time>
Newest dump: s3://autodump-archive-bucket/prod/orders/postgres-<time>.dmp, scheduled for <time>
What to do: nothing
`,
    ]);
    expect(await statusOf(app)).toContainEqual(['prod/orders', 'fresh']);
    expect(world.iam.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  } finally {
    await world.stop();
  }
});

test('rows that vanished are reported once, and the last dump that has them is kept', async () => {
  const { cdkOut, folder, server } = shared();
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world, bucket: Bucket } = app;
  try {
    const [message = '', ...others] = await vanish(app, server);
    expect(others).toEqual([]);
    const { Contents: objects = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'shrinking/' }));
    const keys = objects.flatMap(({ Key }) => Key ?? []);
    const [earlier = '', , newest = ''] = keys;
    expect(keys).toEqual([earlier, `${earlier}.json`, newest, `${newest}.json`]);
    expect(await statusOf(app)).toEqual([['shrinking', 'rows vanished']]);
    expect(message).toMatch(
      /^ROWS VANISHED: shrinking\npublic\.orders: 2,000, now 300\npublic\.customers: 20, now gone\n/,
    );
    expect(message).toContain(`\nNewest dump: s3://${Bucket}/${newest}, scheduled for `);
    expect(message).toContain(`\nLast dump that still has them: s3://${Bucket}/${earlier}, scheduled for `);
    expect(message).toContain("\nKept: yes, that dump expires 90 days later than the stack's retention\n");
    const tags = await Promise.all(
      keys.map(async (Key) => (await world.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet),
    );
    const retention = (Value: string) => [{ Key: 'autodump:retention', Value }];
    expect(tags).toEqual([retention('kept'), retention('kept'), retention('14'), retention('14')]);
    expect(objects.map(({ StorageClass }) => StorageClass)).toEqual([
      'STANDARD_IA',
      'STANDARD',
      'STANDARD_IA',
      'STANDARD',
    ]);
    expect(world.iam.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  } finally {
    await world.stop();
  }
});
