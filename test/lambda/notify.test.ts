import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambda/notify.ts';
import { putOwnEvents } from '../../lambda/own-events.ts';

const [s3, sns, logs, eventBridge] = [
  mockClient(S3Client),
  mockClient(SNSClient),
  mockClient(CloudWatchLogsClient),
  mockClient(EventBridgeClient),
];
const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);

beforeEach(() => {
  for (const client of [s3, sns, logs, eventBridge]) {
    client.reset();
  }
  const objects = new Map<string, string>();
  s3.on(PutObjectCommand).callsFake(({ Key, Body }: { readonly Key: string; readonly Body: string }) => {
    objects.set(Key, Body);
    return {};
  });
  s3.on(GetObjectCommand).callsFake(({ Key }: { readonly Key: string }) => {
    const text = objects.get(Key);
    if (text === undefined) {
      throw new NoSuchKey({ message: 'none', $metadata: {} });
    }
    return { Body: { transformToString: () => Promise.resolve(text) } };
  });
  eventBridge.on(PutEventsCommand).resolves({ Entries: [] });
  Object.assign(process.env, {
    TOPIC_ARN: 'arn:aws:sns:us-west-2:123456789012:topic',
    STATE_BUCKET: 'state',
    DUMP_LOG_GROUP: '/dumps',
    CHECK_STATE_MACHINE_ARN: CHECKS,
    JOB_SECURITY_GROUPS: 'sg-0123456789abcdef0',
    SCAN_INTERVAL_MINUTES: '60',
  });
});

afterAll(() => {
  error.mockRestore();
});

const CHECKS = 'arn:aws:states:us-west-2:123456789012:stateMachine:Checks';

const dump = { failed: true, message: 'x', exitStatus: 77, attempts: 1, logStream: 'dump/default/1' };
const FAILED_RUN = {
  detail: {
    executionArn: 'arn:aws:states:us-west-2:123456789012:execution:Runs:a',
    status: 'FAILED',
    stopDate: 1,
    input: JSON.stringify({
      secretArn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3',
      when: '2026-11-22T08:00:00Z',
    }),
    cause: JSON.stringify({ dump, reschedule: { failed: true, message: 'y' } }),
  },
};

const texts = (): readonly string[] =>
  sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Message ?? '');

const FAILED_CHECK = {
  detail: {
    executionArn: 'arn:aws:states:us-west-2:123456789012:execution:Checks:a',
    stateMachineArn: CHECKS,
    status: 'FAILED',
    stopDate: 1,
    input: FAILED_RUN.detail.input,
    cause: JSON.stringify({ Container: { ExitCode: 77, LogStreamName: 'dump/default/2' } }),
  },
};

test('the end of a check is one message, however often its event comes, and no failure that a dump recovers from', async () => {
  logs.on(GetLogEventsCommand).resolves({ events: [{ message: 'Login  problem  Wrong password.' }] });
  expect(await handler(FAILED_CHECK)).toMatchObject({ kind: 'cannot be dumped', findings: ['Login: Wrong password.'] });
  expect(await handler(FAILED_CHECK)).toBeNull();
  expect(texts()).toEqual([expect.stringContaining('CANNOT BE DUMPED: prod/orders\n')]);
  const comparison = { outcome: 'unchanged' };
  const done = { failed: false, message: 'x' };
  const output = JSON.stringify({ comparison, branches: { dump: done, reschedule: done } });
  expect(await handler({ detail: { ...FAILED_RUN.detail, status: 'SUCCEEDED', output } })).toBeNull();
});

test('a dump does not recover from a failed drill, nor a drill from a failed dump', async () => {
  logs.on(GetLogEventsCommand).resolves({ events: [] });
  const drill = JSON.stringify({ ...(JSON.parse(FAILED_RUN.detail.input) as object), purpose: 'drill' });
  const done = { failed: false, message: 'x' };
  const output = JSON.stringify({
    comparison: { outcome: 'unchanged' },
    branches: { dump: done, reschedule: done },
  });
  const ended = (input: string, more: object) => handler({ detail: { ...FAILED_RUN.detail, input, ...more } });
  expect(await ended(drill, {})).toMatchObject({ kind: 'drill failed' });
  expect(await ended(FAILED_RUN.detail.input, { status: 'SUCCEEDED', output, stopDate: 2 })).toBeNull();
  expect(await ended(drill, { status: 'SUCCEEDED', output, stopDate: 3 })).toMatchObject({ kind: 'drill recovered' });
  expect(texts()[0]).toMatch(/^DRILL FAILED: prod\/orders\n/);
});

test('a check and a run that end together are both remembered as reported', async () => {
  logs.on(GetLogEventsCommand).resolves({ events: [] });
  const ends = [FAILED_CHECK, FAILED_RUN];
  expect(await Promise.all(ends.map(handler))).toMatchObject([{ kind: 'cannot be dumped' }, { kind: 'dump failed' }]);
  expect(await Promise.all(ends.map(handler))).toEqual([null, null]);
});

describe('the log of a check', () => {
  const GRANTS = 'Run this SQL in the database to grant the missing privileges:';
  const page = (token: string, ...lines: readonly string[]) => ({
    events: lines.map((message) => ({ message })),
    nextForwardToken: token,
  });
  /** The size of an entry is that of its detail; an entry of EventBridge has at most this. */
  const MAX_ENTRY = 262_144;
  const detail = (): string =>
    String(eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries?.[0]?.Detail);

  test('is read to its end, where the token stays the same, although pages may be empty', async () => {
    logs.on(GetLogEventsCommand).resolves(page('1'));
    logs.on(GetLogEventsCommand, { nextToken: '1' }).resolves(page('2', 'Login  problem  Wrong password.', GRANTS));
    logs.on(GetLogEventsCommand, { nextToken: '2' }).resolves(page('3'));
    logs.on(GetLogEventsCommand, { nextToken: '3' }).resolves(page('4', 'GRANT x'));
    logs.on(GetLogEventsCommand, { nextToken: '4' }).resolves(page('4'));
    expect(await handler(FAILED_CHECK)).toMatchObject({ findings: ['Login: Wrong password.'], sql: ['GRANT x'] });
    expect(logs.calls()).toHaveLength(5);
    expect(texts()).toEqual([expect.not.stringContaining('\nLog:')]);
  });

  test('of a thousand lines is all of it, and of more is said to have more', async () => {
    const grants = Array.from({ length: 999 }, (_, index) => `GRANT ${index}`);
    logs.on(GetLogEventsCommand).resolves(page('1', GRANTS, ...grants));
    logs.on(GetLogEventsCommand, { nextToken: '1' }).resolves(page('1'));
    expect(await handler(FAILED_CHECK)).toMatchObject({ sql: grants, log: 'GRANT 998' });
    logs.on(GetLogEventsCommand, { nextToken: '1' }).resolves(page('2', 'GRANT 999'));
    const again = { detail: { ...FAILED_CHECK.detail, stopDate: 2 } };
    expect(await handler(again)).toMatchObject({ sql: grants, log: 'more lines are in the log' });
    expect(texts()[1]).toContain('\nLog: more lines are in the log\n');
  });

  test.each([
    ['SQL', [GRANTS, ...Array.from({ length: 900 }, () => `GRANT ${'"ü" '.repeat(100)}`)]],
    ['findings', Array.from({ length: 900 }, (_, index) => `Table ${index}  problem  ${'"ü" '.repeat(100)}`)],
    ['one line', ['x'.repeat(MAX_ENTRY)]],
  ])('is cut where its event would be too large: %s', async (_, lines) => {
    logs.on(GetLogEventsCommand).resolves(page('1', ...lines));
    expect(await handler(FAILED_CHECK)).toMatchObject({ log: 'more lines are in the log' });
    expect(Buffer.byteLength(detail())).toBeLessThan(MAX_ENTRY);
    expect(Buffer.byteLength(texts()[0] ?? '')).toBeLessThan(MAX_ENTRY);
  });
});

describe('a failed run', () => {
  test('is one message and one event, however often its event comes', async () => {
    logs.on(GetLogEventsCommand, { startFromHead: true }).resolves({
      events: [{ message: 'Secret prod/orders, scheduled for …: dump to s3://dumps/prod/orders/x.dmp' }],
    });
    logs.on(GetLogEventsCommand, { startFromHead: false }).resolves({ events: [{ message: 'Wrong password.' }] });
    expect(await handler(FAILED_RUN)).toMatchObject({ kind: 'dump failed', log: 'Wrong password.' });
    expect(await handler(FAILED_RUN)).toBeNull();
    expect(texts()).toEqual([expect.stringContaining('\nDump: s3://dumps/prod/orders/x.dmp\n')]);
    expect(eventBridge.commandCalls(PutEventsCommand).map(({ args: [{ input }] }) => input.Entries)).toEqual([
      [
        {
          Source: 'autodump',
          DetailType: 'dump failed',
          Detail: expect.stringContaining('"log":"Wrong password."'),
        },
      ],
    ]);
  });

  test('is reported without its log if that cannot be read', async () => {
    logs.on(GetLogEventsCommand).rejects(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));
    await handler(FAILED_RUN);
    expect(texts()).toEqual([expect.stringContaining('\nLog: could not be read: ThrottlingException\n')]);
  });

  test('is reported again if the message was not sent', async () => {
    sns.on(PublishCommand).rejectsOnce(new Error('down'));
    await expect(handler(FAILED_RUN)).rejects.toThrow('down');
    expect(await handler(FAILED_RUN)).toMatchObject({ kind: 'dump failed' });
  });
});

test('an event of something else fails the function, so that it is not lost silently', async () => {
  await expect(handler({ source: 'aws.events' })).rejects.toThrow('neither the end of an execution nor a failed scan');
});

describe('own events', () => {
  test('are put ten at a time', async () => {
    const details = Array.from({ length: 21 }, (_, index) => ({ kind: 'overdue', index }));
    await putOwnEvents(new EventBridgeClient(), details);
    const calls = eventBridge.commandCalls(PutEventsCommand).map(({ args: [{ input }] }) => input.Entries?.length);
    expect(calls).toEqual([10, 10, 1]);
  });

  test('that EventBridge does not take fail', async () => {
    const Entries = [{ EventId: '1' }, { ErrorCode: 'InternalFailure', ErrorMessage: 'try later' }];
    eventBridge.on(PutEventsCommand).resolves({ Entries });
    await expect(putOwnEvents(new EventBridgeClient(), [{ kind: 'late' }, { kind: 'late' }])).rejects.toThrow(
      'EventBridge did not take an event: InternalFailure: try later',
    );
  });
});
