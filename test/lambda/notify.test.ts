import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { z } from 'zod';
import { handler } from '../../lambda/notify.ts';
import snapshot from '../lib/autodump-stack.snapshot.json' with { type: 'json' };
import { inVirtualTime } from './support/virtual-time.ts';

const [s3, sns, logs, eventBridge] = [
  mockClient(S3Client),
  mockClient(SNSClient),
  mockClient(CloudWatchLogsClient),
  mockClient(EventBridgeClient),
];
const info = jest.spyOn(console, 'info').mockImplementation(() => undefined);
const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);

/** What the function has stored, by key. */
const objects = new Map<string, string>();

/** Events in messages whose IDs are their numbers. */
function batchOf(events: readonly unknown[]) {
  return { Records: events.map((event, index) => ({ messageId: String(index), body: JSON.stringify(event) })) };
}

/** Has the function handle events as one batch. @returns what it reported, and the numbers of those it failed on */
async function handle(...events: readonly unknown[]) {
  const before = eventBridge.commandCalls(PutEventsCommand).length;
  const { batchItemFailures } = await inVirtualTime(() => handler(batchOf(events)));
  const notices = eventBridge
    .commandCalls(PutEventsCommand)
    .slice(before)
    .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
    .map(({ Detail }) => JSON.parse(Detail ?? '') as object);
  return { notices, failed: batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier)) };
}

/** As {@link handle}, for events that it can handle. */
async function noticesOf(...events: readonly unknown[]): Promise<readonly object[]> {
  const { notices, failed } = await handle(...events);
  expect(failed).toEqual([]);
  return notices;
}

beforeEach(() => {
  for (const client of [s3, sns, logs, eventBridge]) {
    client.reset();
  }
  objects.clear();
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
  info.mockRestore();
  error.mockRestore();
});

const mappingSchema = z.object({
  BatchSize: z.number(),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
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

/** The ends of runs of different secrets. */
function failedRuns(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => {
    const input = FAILED_RUN.detail.input.replace('prod/orders', `prod/db${n}`);
    return { detail: { ...FAILED_RUN.detail, input } };
  });
}

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
  expect(await noticesOf(FAILED_CHECK, FAILED_CHECK)).toMatchObject([
    { kind: 'cannot be dumped', findings: ['Login: Wrong password.'] },
  ]);
  expect(await noticesOf(FAILED_CHECK)).toEqual([]);
  expect(texts()).toEqual([expect.stringContaining('CANNOT BE DUMPED: prod/orders\n')]);
  const comparison = { outcome: 'unchanged' };
  const done = { failed: false, message: 'x' };
  const output = JSON.stringify({ comparison, branches: { dump: done, reschedule: done } });
  expect(await noticesOf({ detail: { ...FAILED_RUN.detail, status: 'SUCCEEDED', output } })).toEqual([]);
});

test('a dump does not recover from a failed drill, nor a drill from a failed dump', async () => {
  logs.on(GetLogEventsCommand).resolves({ events: [] });
  const drill = JSON.stringify({ ...(JSON.parse(FAILED_RUN.detail.input) as object), purpose: 'drill' });
  const done = { failed: false, message: 'x' };
  const output = JSON.stringify({
    comparison: { outcome: 'unchanged' },
    branches: { dump: done, reschedule: done },
  });
  const ended = (input: string, more: object) => noticesOf({ detail: { ...FAILED_RUN.detail, input, ...more } });
  expect(await ended(drill, {})).toMatchObject([{ kind: 'drill failed' }]);
  expect(await ended(FAILED_RUN.detail.input, { status: 'SUCCEEDED', output, stopDate: 2 })).toEqual([]);
  expect(await ended(drill, { status: 'SUCCEEDED', output, stopDate: 3 })).toMatchObject([{ kind: 'drill recovered' }]);
  expect(texts()[0]).toMatch(/^DRILL FAILED: prod\/orders\n/);
});

test('a check and a run that end together are both remembered as reported', async () => {
  logs.on(GetLogEventsCommand).resolves({ events: [] });
  await inVirtualTime(() => Promise.all([FAILED_CHECK, FAILED_RUN].map((end) => handler(batchOf([end])))));
  expect(texts()).toHaveLength(2);
  expect(await noticesOf(FAILED_CHECK, FAILED_RUN)).toEqual([]);
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
    expect(await noticesOf(FAILED_CHECK)).toMatchObject([{ findings: ['Login: Wrong password.'], sql: ['GRANT x'] }]);
    expect(logs.calls()).toHaveLength(5);
    expect(texts()).toEqual([expect.not.stringContaining('\nLog:')]);
  });

  test('of a thousand lines is all of it, and of more is said to have more', async () => {
    const grants = Array.from({ length: 999 }, (_, index) => `GRANT ${index}`);
    logs.on(GetLogEventsCommand).resolves(page('1', GRANTS, ...grants));
    logs.on(GetLogEventsCommand, { nextToken: '1' }).resolves(page('1'));
    expect(await noticesOf(FAILED_CHECK)).toMatchObject([{ sql: grants, log: 'GRANT 998' }]);
    logs.on(GetLogEventsCommand, { nextToken: '1' }).resolves(page('2', 'GRANT 999'));
    const again = { detail: { ...FAILED_CHECK.detail, stopDate: 2 } };
    expect(await noticesOf(again)).toMatchObject([{ sql: grants, log: 'more lines are in the log' }]);
    expect(texts()[1]).toContain('\nLog: more lines are in the log\n');
  });

  test.each([
    ['SQL', [GRANTS, ...Array.from({ length: 900 }, () => `GRANT ${'"ü" '.repeat(100)}`)]],
    ['findings', Array.from({ length: 900 }, (_, index) => `Table ${index}  problem  ${'"ü" '.repeat(100)}`)],
    ['one line', ['x'.repeat(MAX_ENTRY)]],
  ])('is cut where its event would be too large: %s', async (_, lines) => {
    logs.on(GetLogEventsCommand).resolves(page('1', ...lines));
    expect(await noticesOf(FAILED_CHECK)).toMatchObject([{ log: 'more lines are in the log' }]);
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
    expect(await noticesOf(FAILED_RUN, FAILED_RUN)).toMatchObject([{ kind: 'dump failed', log: 'Wrong password.' }]);
    expect(await noticesOf(FAILED_RUN)).toEqual([]);
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
    await noticesOf(FAILED_RUN);
    expect(texts()).toEqual([expect.stringContaining('\nLog: could not be read: ThrottlingException\n')]);
  });

  test('is reported again if the message was not sent', async () => {
    sns.on(PublishCommand).rejectsOnce(new Error('down'));
    expect(await handle(FAILED_RUN, FAILED_CHECK)).toMatchObject({
      notices: [{ kind: 'cannot be dumped' }],
      failed: [0],
    });
    expect(await noticesOf(FAILED_RUN)).toMatchObject([{ kind: 'dump failed' }]);
  });
});

describe('an event on which the function fails comes again, and no other:', () => {
  test('one of something else', async () => {
    const { notices, failed } = await handle({ source: 'aws.events' }, FAILED_RUN);
    expect(notices).toMatchObject([{ kind: 'dump failed' }]);
    expect(failed).toEqual([0]);
  });

  test('one of a secret of which it is not readable what was reported', async () => {
    await noticesOf(FAILED_RUN);
    for (const key of objects.keys()) {
      objects.set(key, 'not JSON');
    }
    expect(await handle(FAILED_RUN, FAILED_CHECK)).toMatchObject({
      notices: [{ kind: 'cannot be dumped' }],
      failed: [0],
    });
  });

  test('all, if a message about all of them was not sent', async () => {
    sns.on(PublishCommand).rejectsOnce(new Error('down'));
    expect(await handle(...failedRuns(6))).toEqual({ notices: [], failed: [0, 1, 2, 3, 4, 5] });
    expect(await noticesOf(...failedRuns(6))).toHaveLength(6);
  });
});

describe('of failures in one batch', () => {
  test('up to five are a message each', async () => {
    await noticesOf(...failedRuns(5));
    expect(texts().map((text) => text.split('\n')[0])).toEqual([0, 1, 2, 3, 4].map((n) => `DUMP FAILED: prod/db${n}`));
  });

  test('more are one message that names each, and still one event each', async () => {
    const notices = await noticesOf(...failedRuns(6), ...failedRuns(6));
    expect(notices).toHaveLength(6);
    const [text = '', ...others] = texts();
    expect(others).toEqual([]);
    expect(text.match(/^DUMP FAILED: .*$/gm)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `DUMP FAILED: prod/db${n}`));
    expect(await noticesOf(...failedRuns(6))).toEqual([]);
  });
});

describe('of a thousand runs that fail within a second', () => {
  const [mapping] = Object.values(snapshot.Resources).filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
  const { BatchSize, ScalingConfig } = mappingSchema.parse(mapping?.Properties);

  /** Has the function handle batches as Lambda does. @returns when a message was sent, in milliseconds, and its text */
  async function sentFor(
    events: readonly object[],
    batchSize: number,
  ): Promise<readonly (readonly [number, string])[]> {
    const sent: (readonly [number, string])[] = [];
    sns.on(PublishCommand).callsFake(({ Message }: { readonly Message: string }) => {
      sent.push([Date.now(), Message]);
      return {};
    });
    const batches = Array.from({ length: Math.ceil(events.length / batchSize) }, (_, index) =>
      events.slice(index * batchSize, (index + 1) * batchSize),
    ).values();
    const poll = async (): Promise<void> => {
      for (const batch of batches) {
        expect(await handler(batchOf(batch))).toEqual({ batchItemFailures: [] });
      }
    };
    await inVirtualTime(() => Promise.all(Array.from({ length: ScalingConfig.MaximumConcurrency }, poll)));
    return sent;
  }

  test.each([
    ['full batches', BatchSize, 10],
    ['the smallest batches that are one message', 6, 170],
    ['the largest that are not', 5, 1000],
  ])('each is named once, by at most four messages a second: %s', async (_, batchSize, messages) => {
    const sent = await sentFor(failedRuns(1000), batchSize);
    expect(sent).toHaveLength(messages);
    const named = sent.flatMap(([, text]) => text.match(/^DUMP FAILED: .*$/gm) ?? []);
    expect(named.toSorted()).toEqual(
      failedRuns(1000)
        .map((_run, n) => `DUMP FAILED: prod/db${n}`)
        .toSorted(),
    );
    for (const [time] of sent) {
      expect(sent.filter(([other]) => other >= time && other < time + 1000).length).toBeLessThanOrEqual(4);
    }
  });
});
