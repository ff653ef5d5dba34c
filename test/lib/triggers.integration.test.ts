import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { secretIdOf } from '../../lambda/core/tag-event.ts';
import { compilePattern } from '../../local/services/events/event-pattern.ts';
import { ofType, synthesizedResources } from './synthesized-template.ts';

const resources = await synthesizedResources();
const rules = Object.entries(ofType(resources, 'AWS::Events::Rule')).flatMap(([id, rule]) =>
  id.startsWith('Triggers') ? [rule] : [],
);
const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const tagsChanged = rules.find(({ Properties }) => JSON.stringify(Properties).includes('"aws.secretsmanager"'));
const invokesTheScanner = compilePattern(tagsChanged?.Properties.EventPattern);

/** A call as CloudTrail reports it to EventBridge. */
function call(eventName: string, detail: object = {}) {
  return {
    source: 'aws.secretsmanager',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: { eventSource: 'secretsmanager.amazonaws.com', eventName, ...detail },
  };
}

test.each([
  ['CreateSecret', { requestParameters: { name: 'orders' }, responseElements: { arn, name: 'orders' } }],
  ['TagResource', { requestParameters: { secretId: arn, tags: [] }, responseElements: null }],
  ['UntagResource', { requestParameters: { secretId: arn, tagKeys: [] }, responseElements: null }],
  ['RestoreSecret', { requestParameters: { secretId: 'orders' }, responseElements: { arn, name: 'orders' } }],
  // The request may name the primary, which is in another Region.
  ['StopReplicationToReplica', { requestParameters: { secretId: 'orders' }, responseElements: { arn } }],
])('%s leads to a scan of its secret', (eventName, detail) => {
  const event = call(eventName, detail);
  expect(invokesTheScanner(event)).toBe(true);
  expect(secretIdOf(event)).toBe(arn);
});

test.each(['DeleteSecret', 'PutSecretValue', 'UpdateSecret', 'RotateSecret', 'GetSecretValue'])(
  '%s, which changes no schedule, leads to none',
  (eventName) => {
    expect(invokesTheScanner(call(eventName))).toBe(false);
  },
);

test('a refused call leads to none', () => {
  expect(invokesTheScanner(call('TagResource', { errorCode: 'AccessDenied' }))).toBe(false);
});

const arnOfQueue = (name: RegExp) => ({
  'Fn::GetAtt': [Object.keys(ofType(resources, 'AWS::SQS::Queue')).find((id) => name.test(id)), 'Arn'],
});

const deadLetters = arnOfQueue(/^DeadLetters/);

describe('the triggers', () => {
  test.each([
    [
      'a tag event',
      {
        EventPattern: {
          source: ['aws.secretsmanager'],
          'detail-type': ['AWS API Call via CloudTrail'],
          detail: {
            eventSource: ['secretsmanager.amazonaws.com'],
            eventName: ['CreateSecret', 'TagResource', 'UntagResource', 'RestoreSecret', 'StopReplicationToReplica'],
            errorCode: [{ exists: false }],
          },
        },
      },
    ],
    ['the schedule', { ScheduleExpression: 'rate(1 hour)' }],
    [
      'a deployment of this stack',
      {
        EventPattern: {
          source: ['aws.cloudformation'],
          'detail-type': ['CloudFormation Stack Status Change'],
          detail: {
            'stack-id': [{ Ref: 'AWS::StackId' }],
            'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] },
          },
        },
      },
    ],
  ])('%s invokes the Scanner, with retries and a dead-letter queue', (_, trigger) => {
    const matching = rules.filter(({ Properties }) =>
      Object.entries(trigger).every(([name, value]) => isDeepStrictEqual(Properties[name], value)),
    );
    expect(matching.map(({ Properties }) => Properties)).toEqual([
      expect.objectContaining({
        State: 'ENABLED',
        Targets: [
          expect.objectContaining({
            Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Scanner/), 'Arn'] },
            DeadLetterConfig: { Arn: deadLetters },
            RetryPolicy: { MaximumEventAgeInSeconds: 7200, MaximumRetryAttempts: 10 },
          }),
        ],
      }),
    ]);
  });

  test.each([
    ['a scan goes to the event bus', /^Scanner/, { 'Fn::Join': ['', expect.arrayContaining([':event-bus/default'])] }],
    ['a check goes to the dead-letter queue', /^Freshness/, deadLetters],
  ])('an event whose every retry fails: %s', (_, name, Destination) => {
    expect(Object.values(ofType(resources, 'AWS::Lambda::EventInvokeConfig'))).toContainEqual(
      expect.objectContaining({
        Properties: expect.objectContaining({
          FunctionName: { Ref: expect.stringMatching(name) },
          DestinationConfig: { OnFailure: { Destination } },
          MaximumRetryAttempts: 2,
        }),
      }),
    );
  });
});

describe('what is reported', () => {
  const queue = arnOfQueue(/^Notify/);

  test('goes into a queue, with retries and a dead-letter queue', () => {
    const reported = Object.entries(ofType(resources, 'AWS::Events::Rule')).filter(([id]) => id.startsWith('Notify'));
    expect(reported).toHaveLength(2);
    for (const [, { Properties }] of reported) {
      const RetryPolicy = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };
      expect(Properties.Targets).toEqual([
        { Arn: queue, DeadLetterConfig: { Arn: deadLetters }, Id: 'Target0', RetryPolicy },
      ]);
    }
  });

  test('comes from there to Notify in batches, two at a time, and what fails five times is a dead letter', () => {
    expect(Object.values(ofType(resources, 'AWS::Lambda::EventSourceMapping'))).toEqual([
      expect.objectContaining({
        Properties: expect.objectContaining({
          BatchSize: 100,
          EventSourceArn: queue,
          FunctionName: { Ref: expect.stringMatching(/^NotifyFunction/) },
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          MaximumBatchingWindowInSeconds: 60,
          ScalingConfig: { MaximumConcurrency: 2 },
        }),
      }),
    ]);
    const [properties] = Object.entries(ofType(resources, 'AWS::SQS::Queue')).flatMap(([id, { Properties }]) =>
      id.startsWith('Notify') ? [Properties] : [],
    );
    expect(properties).toEqual({
      MessageRetentionPeriod: 1_209_600,
      RedrivePolicy: { deadLetterTargetArn: deadLetters, maxReceiveCount: 5 },
      // Six times the timeout of the function, and the window.
      VisibilityTimeout: 780,
    });
  });
});
