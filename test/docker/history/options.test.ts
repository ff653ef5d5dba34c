import { expect, test } from '@jest/globals';
import { parseHistoryOptions } from '../../../docker/history/options.ts';

const ENVIRONMENT = { AWS_REGION: 'us-west-2', AUTODUMP_BUCKETS: 'dumps,more-dumps' };

test('a table and a secret are enough where the buckets are known', () => {
  expect(parseHistoryOptions(['Public."Orders"', '--secret', 'prod/orders'], ENVIRONMENT)).toEqual({
    table: { schema: 'public', name: 'Orders' },
    secret: 'prod/orders',
    buckets: ['dumps', 'more-dumps'],
    region: 'us-west-2',
  });
});

test('a bucket that is named is the only one', () => {
  const { buckets } = parseHistoryOptions(['public.t', '--secret', 's', '--bucket', 'other'], ENVIRONMENT);
  expect(buckets).toEqual(['other']);
});

test.each([
  [['orders', '--secret', 's'], ENVIRONMENT, 'Exactly one table is required, with its schema'],
  [['public.a', 'public.b', '--secret', 's'], ENVIRONMENT, 'Exactly one table'],
  [['public.a'], ENVIRONMENT, '--secret must be the name of the secret'],
  [['public.a', '--secret', 'arn:aws:secretsmanager:us-west-2:1:secret:s'], ENVIRONMENT, '--secret must be the name'],
  [['public.a', '--secret', 's'], { AWS_REGION: 'us-west-2' }, '--bucket is missing'],
  [['public.a', '--secret', 's'], { AUTODUMP_BUCKETS: 'dumps' }, 'AWS_REGION must be the Region'],
  [['public.a', '--secret', 's', '--all'], ENVIRONMENT, '--all'],
])('%j is misuse', (args, environment, problem) => {
  expect(() => parseHistoryOptions(args, environment)).toThrow(problem);
});
