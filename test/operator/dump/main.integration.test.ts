import { expect, test } from '@jest/globals';
import { ended, startCommand } from '../support/start-command.ts';

test.each([
  ['no secret', [], {}, 2, /^Name one secret: 0 were given\. See --help\.\n$/],
  ['no credentials', ['prod/orders'], { AWS_REGION: 'us-west-2' }, 1, /^No AWS credentials were found\. .*\n$/],
])('with %s it says what to do', async (_, args, environment, status, message) => {
  expect(await ended(startCommand('dump', args, environment))).toEqual([status, '', expect.stringMatching(message)]);
});
