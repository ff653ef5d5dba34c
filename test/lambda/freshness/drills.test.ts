import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { PublishCommand } from '@aws-sdk/client-sns';
import { expect, jest, test } from '@jest/globals';
import { handler } from '../../../lambda/freshness.ts';
import { HOUR, useServicesOfFreshness } from '../support/services-of-freshness.ts';

const { secrets, s3, sns, stepFunctions, objects, storedStatus } = useServicesOfFreshness();

test('a drill without evidence is reported, once and when another is caught up, also of a secret that is not dumped', async () => {
  const Tags = [{ Key: 'autodump:drill-schedule', Value: '@daily' }];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  const dump = 'a/a-20261119T000000Z.dmp';
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: dump, Size: 7 }] });
  stepFunctions.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'none', $metadata: {} }));
  expect(await handler()).toMatchObject({ 'drills only': 1, reported: 0 });
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(0);
  jest.setSystemTime(Date.parse('2026-11-21T02:30:00Z'));
  expect(await handler()).toMatchObject({ 'drill overdue': 1, reported: 1 });
  expect(await handler()).toMatchObject({ 'drill overdue': 1, reported: 0 });
  const Key = `${dump}.drill-20261121T043000Z.json`;
  objects.set(Key, '{}');
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key, Size: 7 }] });
  expect(await handler()).toMatchObject({ 'drills only': 1, reported: 1 });
  const messages = sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Message);
  expect(messages).toEqual([
    expect.stringContaining('DRILL OVERDUE: a\n'),
    expect.stringContaining('DRILL CAUGHT UP: a\n'),
  ]);
  expect(stepFunctions.commandCalls(DescribeExecutionCommand)[0]?.args[0].input.executionArn).toContain(
    ':execution:AutoDump:a-drill-20261121T000000Z-',
  );
});

test('a drill costs one listing and, once, its evidence, which is in the status', async () => {
  const Tags = [
    { Key: 'autodump:start-schedule', Value: '0 0 * * *' },
    { Key: 'autodump:drill-schedule', Value: '0 6 * * *' },
  ];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  const evidence = {
    version: 1,
    verdict: 'different',
    reason: 'public.orders has other rows',
    tables: { total: 212, equal: 211 },
    seconds: { usable: 41.5, total: 60 },
    finishedAt: '2026-11-22T06:10:00Z',
  };
  s3.on(ListObjectsV2Command).callsFake(({ StartAfter = '' }: { readonly StartAfter?: string }) => {
    const dumps = [19, 20, 21, 22].map((day) => `a/x-202611${day}T000000Z.dmp`);
    const keys = dumps.flatMap((dump) => [dump, `${dump}.drill-${dump.slice(4, 12)}T060000Z.json`]);
    const now = new Date().toISOString().replace(/[-:]/g, '');
    return {
      Contents: keys
        .filter((key) => key > StartAfter && (/[^-]*$/.exec(key)?.[0] ?? '') < now)
        .map((Key) => ({ Key, Size: 7 })),
    };
  });
  for (const day of [19, 20, 21, 22]) {
    objects.set(`a/x-202611${day}T000000Z.dmp.drill-202611${day}T060000Z.json`, JSON.stringify(evidence));
  }
  for (let hour = 0; hour < 72; hour += 1) {
    if (hour === 48) {
      s3.resetHistory();
    }
    expect(await handler()).toMatchObject({ reported: 0 });
    jest.setSystemTime(Date.now() + HOUR);
  }
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(2);
  const read = s3.commandCalls(GetObjectCommand).map(({ args: [{ input }] }) => input.Key ?? '');
  expect(read.filter((key) => key.includes('.dmp'))).toEqual([
    'a/x-20261122T000000Z.dmp.json',
    'a/x-20261122T000000Z.dmp.drill-20261122T060000Z.json',
  ]);
  expect(storedStatus().secrets).toMatchObject([
    {
      state: 'drill failed',
      reason: 'The verdict is different: public.orders has other rows',
      drill: {
        verdict: 'different',
        finishedAt: '2026-11-22T06:10:00Z',
        seconds: 41.5,
        tables: { total: 212, equal: 211 },
      },
    },
  ]);
});
