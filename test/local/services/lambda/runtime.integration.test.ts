import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { calling, lambda, machine, stage } from '../../support/mini-world.ts';

test('all that a function prints is in its log, even more than a pipe holds', async () => {
  const code = `exports.handler = async () => { process.stdout.write('x'.repeat(1_000_000) + ' the end'); return 1; };`;
  const { start, world } = await stage(
    { Fn: lambda('code', { FunctionName: 'talkative' }), Machine: machine(calling('talkative')) },
    { code: { 'index.js': code } },
  );
  await start('one');
  await world.executions[0]?.ended;
  expect(readFileSync(join(world.logs, 'talkative.log'), 'utf8')).toMatch(/^x{1000000} the end$/);
});
