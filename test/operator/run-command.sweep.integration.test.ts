import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { sweep } from '../support/sweep.ts';
import { type CommandName, ended, startCommand } from './support/start-command.ts';

const COMMANDS: readonly (readonly [name: CommandName, args: readonly string[], unread: string])[] = [
  ['dump', ['prod/orders'], 'This does not stop a run that was started.'],
  ['status', [], 'Nothing was changed.'],
  ['undeploy', ['--force'], 'Run it again to remove the rest.'],
];

type Case = readonly [name: CommandName, what: string, check: () => Promise<void>];

/** Five for each command, so that each third one is another kind, of all commands. */
const CASES = COMMANDS.flatMap(([name, args, unread]): readonly Case[] => [
  [
    name,
    'prints its help',
    async () => {
      const help = expect.stringContaining(`\n  npx -y pnpm@12 ${name} `);
      expect(await ended(startCommand(name, ['--help']))).toEqual([0, help, '']);
    },
  ],
  [
    name,
    'ends like a broken pipe, without a stack trace, if its output has lost its reader',
    async () => {
      const program = startCommand(name, ['--help']);
      program.stdout.destroy();
      const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
      expect(exit).toEqual([141, null]);
      expect(stderr).toBe(`The output cannot be written, so ${name} stopped: write EPIPE. ${unread}\n`);
    },
  ],
  [
    name,
    'fails if its output cannot be written',
    async () => {
      const full = openSync('/dev/full', 'w');
      const program = spawn(process.execPath, [`operator/${name}/main.ts`, '--help'], {
        stdio: ['ignore', full, 'ignore'],
      });
      closeSync(full);
      expect(await once(program, 'exit')).toEqual([1, null]);
    },
  ],
  [
    name,
    'refuses options that it does not have',
    async () => {
      const message = "Unknown option '--bogus'. See --help.\n";
      expect(await ended(startCommand(name, ['--bogus']))).toEqual([2, '', message]);
    },
  ],
  [
    name,
    'says that no Region is set',
    async () => {
      const message = 'No Region is set: set AWS_REGION, or a Region in your AWS profile.\n';
      expect(await ended(startCommand(name, args))).toEqual([1, '', message]);
    },
  ],
]);

test.each(sweep(CASES, 5))('%s %s', async (_, _what, check) => {
  await check();
});
