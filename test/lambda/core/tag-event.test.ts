import { expect, test } from '@jest/globals';
import { isOfAnotherAccount, secretIdOf } from '../../../lambda/core/tag-event.ts';

const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';

test.each([
  ['CreateSecret', { requestParameters: { name: 'orders' }, responseElements: { arn } }, arn],
  ['TagResource by ARN', { requestParameters: { secretId: arn }, responseElements: null }, arn],
  ['UntagResource by name', { requestParameters: { secretId: 'orders' } }, 'orders'],
  ['the other spelling', { requestParameters: { secretId: 'orders' }, responseElements: { aRN: arn } }, arn],
  ['a call that failed', { requestParameters: null, responseElements: null, errorCode: 'AccessDenied' }, undefined],
])('%s names the secret', (_, detail, secret) => {
  expect(secretIdOf({ source: 'aws.secretsmanager', detail })).toBe(secret);
});

test.each([undefined, null, {}, 'x', { detail: {} }, { source: 'aws.events', detail: { 'stack-id': 'x' } }])(
  '%j names no secret',
  (event) => {
    expect(secretIdOf(event)).toBeUndefined();
  },
);

test.each([
  [arn, false],
  ['orders', false],
  [arn.replace('123456789012', '210987654321'), true],
])('whether %s is of another account: %s', (secretId, expected) => {
  expect(isOfAnotherAccount(secretId, 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump')).toBe(expected);
});
