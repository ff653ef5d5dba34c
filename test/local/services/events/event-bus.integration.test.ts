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
        functionArn: 'arn:aws:lambda:us-west-2:123456789012:function:Mini-Fn',
        destination: 'arn:aws:sqs:us-west-2:123456789012:Mini-Target',
        requestPayload: { source: 'aws.events' },
        responsePayload: { errorMessage: 'no' },
      },
    ]);
  });
});
