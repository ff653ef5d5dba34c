import { expect, test } from '@jest/globals';
import { compare } from '../../../lambda/core/comparison.ts';
import { readTags } from '../../../lambda/core/tags.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const Tags = [{ Key: 'autodump:start-schedule', Value: '0 8 * * *' }];
const hash = String(readTags(Tags)?.hash);

test.each([
  ['unchanged', 'as it was', { ARN, Tags }],
  ['unchanged', 'with an unrelated tag added', { ARN, Tags: [...Tags, { Key: 'team', Value: 'orders' }] }],
  ['changed', 'with another schedule', { ARN, Tags: [{ Key: 'autodump:start-schedule', Value: '0 9 * * *' }] }],
  ['changed', 'with an invalid schedule', { ARN, Tags: [{ Key: 'autodump:start-schedule', Value: 'x' }] }],
  ['changed', 'with a zone', { ARN, Tags: [...Tags, { Key: 'autodump:timezone', Value: 'Europe/Berlin' }] }],
  ['removed', 'without its tag', { ARN, Tags: [] }],
  ['gone', 'marked for deletion', { ARN, Tags, DeletedDate: new Date() }],
  ['gone', 'that no longer exists', undefined],
])('%s: a secret %s, with a reason', (outcome, _, secret) => {
  expect(compare(secret, hash)).toEqual({ outcome, reason: expect.stringMatching(/^[A-Z].+\.$/) });
});
