import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambda/freshness.ts';

const SECRETS = 100;
const HOUR = 60 * 60_000;
const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

const [secrets, s3, sns] = [mockClient(SecretsManagerClient), mockClient(S3Client), mockClient(SNSClient)];
const [stepFunctions, eventBridge] = [mockClient(SFNClient), mockClient(EventBridgeClient)];

beforeEach(() => {
  jest.useFakeTimers({
    now: Date.parse('2026-11-20T00:30:00Z'),
    doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'queueMicrotask'],
  });
  for (const client of [secrets, s3, sns, stepFunctions, eventBridge]) {
    client.reset();
  }
  eventBridge.on(PutEventsCommand).resolves({ Entries: [] });
  let state: string | undefined;
  s3.on(PutObjectCommand).callsFake(({ Body }: { readonly Body: string }) => {
    state = Body;
    return {};
  });
  s3.on(GetObjectCommand).callsFake(() => {
    if (state === undefined) {
      throw new NoSuchKey({ message: 'none', $metadata: {} });
    }
    const body = state;
    return { Body: { transformToString: () => Promise.resolve(body) } };
  });
  Object.assign(process.env, {
    STATE_MACHINE_ARN: 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump',
    STATE_BUCKET: 'state',
    DUMP_BUCKETS: 'dumps,elsewhere',
    TOPIC_ARN: 'arn:aws:sns:us-west-2:123456789012:topic',
    OVERDUE_AFTER_MINUTES: '120',
    SCAN_INTERVAL_MINUTES: '60',
    SCANNER_NAME: 'Scanner',
  });
});

afterAll(() => {
  log.mockRestore();
  jest.useRealTimers();
});

test('a settled account of daily secrets costs one request for each dump, and those of hourly listings', async () => {
  secrets.on(ListSecretsCommand).callsFake(({ NextToken = '0' }: { readonly NextToken?: string }) => {
    const start = Number(NextToken);
    const SecretList = Array.from({ length: 100 }, (_, i) => ({
      ARN: `arn:aws:secretsmanager:us-west-2:123456789012:secret:db${start + i}-a1B2c3`,
      Name: `db${start + i}`,
      Tags: [{ Key: 'autodump:start-schedule', Value: `0 ${(start + i) % 24} * * *` }],
    }));
    return { SecretList, ...(start + 100 < SECRETS ? { NextToken: String(start + 100) } : {}) };
  });
  s3.on(ListObjectsV2Command).callsFake(({ Prefix = '' }: { readonly Prefix?: string }) => {
    const hour = (Number(Prefix.slice(2, -1)) % 24).toString().padStart(2, '0');
    return { Contents: [20, 21, 22, 23].map((day) => ({ Key: `${Prefix}x-202611${day}T${hour}0000Z.dmp` })) };
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
  // Ten thousand secrets: 12,448, which is less than 15,000.
  expect(secrets.calls().length + s3.calls().length).toBe(SECRETS + 24 * (SECRETS / 100 + 2));
  expect(sns.calls()).toHaveLength(0);
});

test('a secret that cannot be looked at fails the check by name, and stops no other, even one below its folder', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:';
  const SecretList = ['prod/a', 'prod/a/b'].map((Name) => ({ ARN: `${arn}${Name}-a1B2c3`, Name, Tags }));
  secrets.on(ListSecretsCommand).resolves({ SecretList });
  expect(await handler()).toMatchObject({ secrets: 2, reported: 0 });

  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/' }).rejects(new Error('refused'));
  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/b/' }).resolves({});
  const none = new ExecutionDoesNotExist({ message: 'none', $metadata: {} });
  stepFunctions.on(DescribeExecutionCommand).rejects(none);
  jest.setSystemTime(Date.now() + 26 * HOUR);
  await expect(handler()).rejects.toThrow('1 secret(s) could not be checked; all others were.\nprod/a: Error: refused');
  const messages = (): readonly string[] =>
    sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Message ?? '');
  expect(messages()).toEqual([expect.stringContaining('OVERDUE: prod/a/b\n')]);

  s3.on(ListObjectsV2Command, { Prefix: 'prod/a/' }).resolves({});
  expect(await handler()).toMatchObject({ secrets: 2, overdue: 2, reported: 1 });
  expect(messages()).toEqual([expect.anything(), expect.stringContaining('OVERDUE: prod/a\n')]);
  error.mockRestore();
});
