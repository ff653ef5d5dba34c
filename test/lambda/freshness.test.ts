import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand } from '@aws-sdk/client-s3';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { PublishCommand } from '@aws-sdk/client-sns';
import { expect, jest, test } from '@jest/globals';
import { handler } from '../../lambda/freshness.ts';
import { COUNTED, HOUR, useServicesOfFreshness } from './support/services-of-freshness.ts';

/** One is due in each hour of the day. */
const SECRETS = 24;

const { secrets, s3, sns, stepFunctions, objects, metrics, storedStatus, serveManifest } = useServicesOfFreshness();

test('a settled account of daily secrets costs three requests for each dump, and those of hourly checks', async () => {
  serveManifest(COUNTED);
  const SecretList = Array.from({ length: SECRETS }, (_, hour) => ({
    ARN: `arn:aws:secretsmanager:us-west-2:123456789012:secret:db${hour}-a1B2c3`,
    Name: `db${hour}`,
    Tags: [{ Key: 'autodump:start-schedule', Value: `0 ${hour} * * *` }],
  }));
  secrets.on(ListSecretsCommand).resolves({ SecretList });
  s3.on(ListObjectsV2Command).callsFake(({ Prefix = '' }: { readonly Prefix?: string }) => {
    const hour = Number(Prefix.slice(2, -1)).toString().padStart(2, '0');
    const days = [19, 20, 21, 22].filter((day) => Date.parse(`2026-11-${day}T${hour}:00:00Z`) < Date.now());
    return { Contents: days.map((day) => ({ Key: `${Prefix}x-202611${day}T${hour}0000Z.dmp`, Size: day * 1000 })) };
  });
  for (let hour = 0; hour < 72; hour += 1) {
    if (hour === 48) {
      secrets.resetHistory();
      s3.resetHistory();
    }
    expect(await handler()).toMatchObject({ secrets: SECRETS, reported: 0 });
    jest.setSystemTime(Date.now() + HOUR);
  }
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(SECRETS);
  // Of each hour: a listing of secrets; the memory read, stored, and stored with manifests; status and page.
  expect(secrets.calls().length + s3.calls().length).toBe(3 * SECRETS + 24 * (1 + 5));
  // Each dump costs a listing, and the reads of its manifest and of the one before. Ten thousand secrets read 2,400
  // manifests a day, so that these are 14,920, which is less than 15,000.
  expect(sns.calls()).toHaveLength(0);
});

test('a check writes the status and the page of all secrets, and one line of metrics', async () => {
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'prod/orders', Tags }] });
  const dumps = (...days: readonly number[]) => ({
    Contents: days.flatMap((day) => {
      const Key = `prod/orders/orders-202611${day}T000000Z.dmp`;
      return [
        { Key, Size: day * 1000 },
        { Key: `${Key}.json`, Size: 1 },
      ];
    }),
  });
  s3.on(ListObjectsV2Command).resolves(dumps(18, 19));
  await handler();
  expect(storedStatus()).toMatchObject({
    generatedAt: '2026-11-20T00:30:00Z',
    stack: 'AutoDump',
    account: '123456789012',
    region: 'us-west-2',
    secrets: [
      {
        state: 'fresh',
        sizes: [18_000, 19_000],
        newest: { bucket: 'dumps', scheduledFor: '2026-11-19T00:00:00Z', bytes: 19_000 },
        manifest: {
          scheduledFor: '2026-11-19T00:00:00Z',
          host: 'orders.example.com',
          database: 'orders',
          rows: 42,
          rowsAre: 'estimated',
          seconds: 3,
        },
      },
    ],
  });
  expect(objects.get('status.html')).toContain('prod/orders');
  expect(s3.commandCalls(PutObjectCommand).map(({ args: [{ input }] }) => [input.Key, input.ContentType])).toEqual(
    expect.arrayContaining([
      ['status.json', 'application/json'],
      ['status.html', 'text/html; charset=utf-8'],
    ]),
  );

  metrics.mockClear();
  s3.on(ListObjectsV2Command).resolves(dumps(19, 20, 21));
  jest.setSystemTime(Date.now() + 26 * HOUR);
  await handler();
  expect(storedStatus().secrets).toMatchObject([{ sizes: [18_000, 19_000, 20_000, 21_000] }]);
  expect(metrics.mock.calls).toEqual([[expect.stringMatching(/^\{"_aws":.*"DumpedBytes":41000,"DumpSeconds":3\}\n$/)]]);
});

test('a manifest that cannot be read is noted, and tried again on the next day unless it is too large', async () => {
  const warning = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  const Key = 'a/a-20261120T000000Z.dmp.json';
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: Key.slice(0, -5), Size: 1 }] });
  stepFunctions.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'none', $metadata: {} }));
  for (const [answer, problem] of [
    [new NoSuchKey({ message: 'none', $metadata: {} }), 'It has no manifest.'],
    [new Error('Access Denied'), 'Its manifest cannot be read: Error: Access Denied'],
  ] as const) {
    s3.on(GetObjectCommand, { Key }).rejects(answer);
    expect(await handler()).toMatchObject({ secrets: 1 });
    expect(storedStatus().secrets).toMatchObject([{ manifest: { scheduledFor: '2026-11-20T00:00:00Z', problem } }]);
    expect(warning.mock.lastCall?.join()).toBe(`s3://dumps/${Key}: ${problem}`);
    await handler();
    expect(s3.commandCalls(GetObjectCommand, { Key })).toHaveLength(1);
    s3.resetHistory();
    jest.setSystemTime(Date.now() + 24 * HOUR);
  }
  s3.on(GetObjectCommand, { Key }).resolves({ ContentRange: 'bytes 0-4194303/4194305' });
  await handler();
  expect(storedStatus().secrets).toMatchObject([{ manifest: { problem: 'Its manifest is larger than 4 MiB.' } }]);
  s3.resetHistory();
  jest.setSystemTime(Date.now() + 24 * HOUR);
  await handler();
  expect(s3.commandCalls(GetObjectCommand, { Key })).toHaveLength(0);
  warning.mockRestore();
});

test('a status that cannot be written keeps no message from being sent and remembered', async () => {
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  s3.on(ListObjectsV2Command).resolves({});
  stepFunctions.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'none', $metadata: {} }));
  await handler();
  jest.setSystemTime(Date.now() + 26 * HOUR);
  s3.on(PutObjectCommand, { Key: 'status.json' }).rejects(new Error('refused'));
  await expect(handler()).rejects.toThrow('refused');
  await expect(handler()).rejects.toThrow('refused');
  expect(sns.commandCalls(PublishCommand)).toHaveLength(1);
});

test('dumps are searched for when a secret is first seen, and again when none was due for more than a day', async () => {
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@yearly' }];
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'a/a-20260101T000000Z.dmp', Size: 7 }] });
  for (let hour = 0; hour < 31; hour += 1) {
    expect(await handler()).toMatchObject({ fresh: 1 });
    jest.setSystemTime(Date.now() + HOUR);
  }
  // Each search looks into both buckets.
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(4);
  // It has expired.
  s3.on(ListObjectsV2Command).resolves({});
  jest.setSystemTime(Date.now() + 30 * HOUR);
  expect(await handler()).toMatchObject({ 'no dump': 1 });
  expect(storedStatus().secrets).toMatchObject([{ sizes: [] }]);
});

test('a secret whose tags are new is not fresh as long as its newest dump is older than they ask for', async () => {
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  const tag = (Value: string): void => {
    const Tags = [{ Key: 'autodump:start-schedule', Value }];
    secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
  };
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'a/a-20261101T000000Z.dmp', Size: 7 }] });
  tag('@monthly');
  expect(await handler()).toMatchObject({ fresh: 1 });
  tag('@weekly');
  expect(await handler()).toMatchObject({ 'old dump': 1, reported: 0 });
  // A dump that was made on request is found by the next check, although none was due.
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'a/a-20261120T003100Z.dmp', Size: 7 }] });
  jest.setSystemTime(Date.now() + HOUR);
  expect(await handler()).toMatchObject({ fresh: 1, reported: 0 });
});

test('a secret that cannot be looked at fails the check by name, and stops no other, even one below its folder', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:';
  const SecretList = ['prod/a', 'prod/a/b'].map((Name) => ({ ARN: `${arn}${Name}-a1B2c3`, Name, Tags }));
  secrets.on(ListSecretsCommand).resolves({ SecretList });
  s3.on(ListObjectsV2Command).resolves({});
  expect(await handler()).toMatchObject({ secrets: 2, reported: 0 });

  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/' }).rejects(new Error('refused'));
  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/b/' }).resolves({});
  const none = new ExecutionDoesNotExist({ message: 'none', $metadata: {} });
  stepFunctions.on(DescribeExecutionCommand).rejects(none);
  jest.setSystemTime(Date.now() + 26 * HOUR);
  await expect(handler()).rejects.toThrow('1 secret(s) could not be checked; all others were.\nprod/a: Error: refused');
  expect(storedStatus().secrets).toMatchObject([
    { secret: 'prod/a/b', state: 'overdue' },
    { secret: 'prod/a', state: 'unchecked', reason: 'Error: refused' },
  ]);
  const messages = (): readonly string[] =>
    sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Message ?? '');
  expect(messages()).toEqual([expect.stringContaining('OVERDUE: prod/a/b\n')]);

  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/' }).resolves({});
  expect(await handler()).toMatchObject({ secrets: 2, overdue: 2, reported: 1 });
  expect(messages()).toEqual([expect.anything(), expect.stringContaining('OVERDUE: prod/a\n')]);
  error.mockRestore();
});

test('a list of secrets that breaks off fails the check, which then stores nothing', async () => {
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a' }], NextToken: '1' });
  // By then everything is done with the secrets of the first page.
  secrets.on(ListSecretsCommand, { NextToken: '1' }).callsFake(async () => {
    await new Promise(setImmediate);
    throw new Error('throttled');
  });
  await expect(handler()).rejects.toThrow('throttled');
  expect(objects.size).toBe(0);
});
