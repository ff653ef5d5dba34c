import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { ended, startCommand } from './support/start-command.ts';

describe.each([
  ['dump', ['prod/orders'], 'This does not stop a run that was started.'],
  ['status', [], 'Nothing was changed.'],
  ['undeploy', ['--force'], 'Run it again to remove the rest.'],
] as const)('%s', (name, args, unread) => {
  test('prints its help', async () => {
    expect(await ended(startCommand(name, ['--help']))).toEqual([
      0,
      expect.stringContaining(`\n  npx -y pnpm@12 ${name} `),
      '',
    ]);
  });

  test('ends like a broken pipe, without a stack trace, if its output has lost its reader', async () => {
    const program = startCommand(name, ['--help']);
    program.stdout.destroy();
    const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
    expect(exit).toEqual([141, null]);
    expect(stderr).toBe(`The output cannot be written, so ${name} stopped: write EPIPE. ${unread}\n`);
  });

  test('fails if its output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const program = spawn(process.execPath, [`operator/${name}/main.ts`, '--help'], {
      stdio: ['ignore', full, 'ignore'],
    });
    closeSync(full);
    expect(await once(program, 'exit')).toEqual([1, null]);
  });

  test('refuses options that it does not have', async () => {
    expect(await ended(startCommand(name, ['--bogus']))).toEqual([2, '', "Unknown option '--bogus'. See --help.\n"]);
  });

  test('says that no Region is set', async () => {
    expect(await ended(startCommand(name, args))).toEqual([
      1,
      '',
      'No Region is set: set AWS_REGION, or a Region in your AWS profile.\n',
    ]);
  });
});
