import { expect, test } from '@jest/globals';
import { CommandError } from '../../operator/command-error.ts';
import { explain } from '../../operator/explain.ts';

test.each<[string, unknown, string]>([
  ['of a command', new CommandError('There is no stack.'), 'There is no stack.'],
  [
    'of credentials',
    Object.assign(new Error('No provider'), { name: 'CredentialsProviderError' }),
    'No AWS credentials were found. Set AWS_PROFILE, or sign in as for the AWS CLI. (No provider)',
  ],
  [
    'of the network',
    Object.assign(new Error('getaddrinfo ENOTFOUND x'), { code: 'ENOTFOUND' }),
    'AWS cannot be reached: getaddrinfo ENOTFOUND x. Check the network, and the Region.',
  ],
  [
    'of AWS',
    Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' }),
    'AccessDeniedException: not authorized',
  ],
])('an error %s is explained', (_, error, words) => {
  expect(explain(error)).toBe(words);
});

test('a host that does not answer at any of its addresses is named by the code, since that error has no message', () => {
  const attempts = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:443`));
  const error = Object.assign(new AggregateError(attempts), { code: 'ECONNREFUSED' });
  expect(explain(error)).toBe('AWS cannot be reached: ECONNREFUSED. Check the network, and the Region.');
});
