import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { Resources } from '../../support/cdk-out.ts';
import { lambda, RULES_MAY_INVOKE, stage } from '../../support/mini-world.ts';

describe('a rule', () => {
  const RULE: Resources = {
    Fn: lambda('a'),
    Permission: RULES_MAY_INVOKE,
    Target: { Type: 'AWS::SQS::Queue' },
    Config: {
      Type: 'AWS::Lambda::EventInvokeConfig',
      Properties: {
        FunctionName: { Ref: 'Fn' },
        MaximumRetryAttempts: 1,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Target', 'Arn'] } } },
      },
    },
    Hourly: {
      Type: 'AWS::Events::Rule',
      Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [{ Arn: { 'Fn::GetAtt': ['Fn', 'Arn'] } }] },
    },
    Off: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: 'rate(1 hour)',
        State: 'DISABLED',
        Targets: [{ Arn: { 'Fn::GetAtt': ['Fn', 'Arn'] } }],
      },
    },
  };

  test('with a schedule invokes its target, unless it is disabled', async () => {
    const { world, events } = await stage(RULE, {
      a: { 'index.js': 'exports.handler = async (event) => event.source;' },
    });
    world.triggerSchedules();
    await world.settled();
    expect(events.filter(({ kind }) => kind === 'rule matched')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ result: { kind: 'returned', payload: 'aws.events' } });
    expect(world.deadLetters).toEqual([]);
  });

  test('leaves a dead letter if its target fails on every attempt', async () => {
    const code = `exports.handler = async () => { throw new Error('no'); };`;
    const { world, events } = await stage(RULE, { a: { 'index.js': code } });
    world.triggerSchedules();
    await world.settled();
    expect(events.filter(({ kind }) => kind === 'function invoked')).toHaveLength(2);
    expect(world.deadLetters).toMatchObject([
      {
        handler: 'arn:aws:lambda:us-west-2:123456789012:function:Mini-Fn',
        destination: 'arn:aws:sqs:us-west-2:123456789012:Mini-Target',
        requestPayload: { source: 'aws.events' },
        responsePayload: { errorMessage: 'no' },
      },
    ]);
  });
});

describe('a queue between a rule and a function', () => {
  /** Two rules have the same target, so one schedule is two messages. */
  const queued = (more: object = {}): Resources => ({
    Fn: lambda('a'),
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:us-west-2:123456789012:Dead', maxReceiveCount: 2 },
      },
    },
    Policy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Queue' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] },
            },
          ],
        },
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        FunctionName: { Ref: 'Fn' },
        BatchSize: 10,
        MaximumBatchingWindowInSeconds: 60,
        ...more,
      },
    },
    ...Object.fromEntries(
      ['First', 'Second'].map((id) => [
        id,
        {
          Type: 'AWS::Events::Rule',
          Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [{ Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }] },
        },
      ]),
    ),
  });

  const PARTIAL = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
  const first = '[{ itemIdentifier: Records[0].messageId }]';

  test.each<[string, object, string, number, number[]]>([
    ['deletes what was handled', {}, 'null', 0, [2]],
    ['keeps only what the function failed on', PARTIAL, `{ batchItemFailures: ${first} }`, 1, [2, 1]],
    ['ignores such a list if it was not asked for', {}, `{ batchItemFailures: ${first} }`, 0, [2]],
    ['keeps all for an unknown message', PARTIAL, `{ batchItemFailures: [{ itemIdentifier: 'x' }] }`, 2, [2, 2]],
    ['keeps all if the function throws', PARTIAL, '(() => { throw new Error() })()', 2, [2, 2]],
  ])('%s, and gives up on it after the last attempt', async (_, more, result, letters, batches) => {
    const code = `exports.handler = async ({ Records }) => { console.info(Records.length); return ${result}; };`;
    const { world, events } = await stage(queued(more), { a: { 'index.js': code } });
    world.triggerSchedules();
    await world.settled();
    const log = await readFile(`${world.logs}/Mini-Fn.log`, 'utf8');
    expect(log.split('\n').flatMap((line) => (/^\d$/.test(line) ? [Number(line)] : []))).toEqual(batches);
    expect(events.filter(({ kind }) => kind === 'function invoked')).toHaveLength(batches.length);
    expect(world.deadLetters).toEqual(
      Array.from({ length: letters }, () => ({
        handler: 'arn:aws:sqs:us-west-2:123456789012:Mini-Queue',
        destination: 'arn:aws:sqs:us-west-2:123456789012:Dead',
        requestPayload: expect.objectContaining({ source: 'aws.events' }),
      })),
    );
  });
});
