import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

/** Starts the command in an environment that has no AWS configuration but this. */
function start(args: readonly string[], configuration: NodeJS.ProcessEnv = {}) {
  return spawn(process.execPath, ['operator/dump/main.ts', ...args], {
    env: { PATH: process.env.PATH, HOME: folder(), AWS_EC2_METADATA_DISABLED: 'true', ...configuration },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test.each([
  ['no secret', [], {}, 2, /^0 secrets are given: name one\. See --help\.\n$/],
  ['no Region', ['prod/orders'], {}, 1, /^No Region is set: set AWS_REGION, or a Region in your AWS profile\.\n$/],
  ['no credentials', ['prod/orders'], { AWS_REGION: 'us-west-2' }, 1, /^No AWS credentials were found\. .*\n$/],
])('with %s it says what to do', async (_, args, configuration, status, message) => {
  const program = start(args, configuration);
  const [stdout, stderr, exit] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'exit')]);
  expect([stdout, exit]).toEqual(['', [status, null]]);
  expect(stderr).toMatch(message);
});

test('it ends like a broken pipe, without a stack trace, if its output has lost its reader', async () => {
  const program = start(['--help']);
  program.stdout.destroy();
  const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  expect(exit).toEqual([141, null]);
  expect(stderr).toMatch(/^The output cannot be written, so dump stopped: .*A run that was started goes on\.\n$/);
});
