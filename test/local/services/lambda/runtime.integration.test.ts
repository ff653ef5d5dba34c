import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ExecutionEnd } from '../../../../local/services/execution.ts';
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

describe('an environment', () => {
  /** Answers with the invocations so far, unless it is to exit or to wait. */
  const CODE = `
    let count = 0;
    exports.handler = async ({ task }) => {
      count += 1;
      if (task === 'exit') process.exit(3);
      if (task === 'wait') await new Promise((resolve) => setTimeout(resolve, 60_000));
      return count;
    };`;

  async function invokeInTurn(...tasks: readonly string[]) {
    // The first invocation includes the start, which takes long on a busy machine.
    const Timeout = tasks.includes('wait') ? 3 : 60;
    const { start, world } = await stage(
      { Fn: lambda('code', { Timeout }), Machine: machine(calling('Mini-Fn')) },
      { code: { 'index.js': CODE } },
    );
    const ends: (ExecutionEnd | undefined)[] = [];
    for (const [index, task] of tasks.entries()) {
      await start(`${index}`, { task });
      ends.push(await world.executions[index]?.ended);
    }
    return ends;
  }

  test('serves one invocation after the other', async () => {
    const ends = await invokeInTurn('', '', '');
    expect(ends).toMatchObject([{ output: 1 }, { output: 2 }, { output: 3 }]);
  });

  test.each([
    ['exits', 'exit', 'Runtime.ExitError'],
    ['times out', 'wait', 'Sandbox.Timedout'],
  ])('that %s is replaced by a new one', async (_, task, error) => {
    expect(await invokeInTurn('', task, '')).toMatchObject([{ output: 1 }, { error }, { output: 1 }]);
  });

  test('does not serve two invocations at once', async () => {
    const code = `
      const { existsSync, writeFileSync } = require('node:fs');
      exports.handler = async ({ own, other }) => {
        writeFileSync(own, '');
        while (!existsSync(other)) await new Promise((resolve) => setTimeout(resolve, 10));
        return process.pid;
      };`;
    const { start, world } = await stage(
      { Fn: lambda('code', { Timeout: 60 }), Machine: machine(calling('Mini-Fn')) },
      { code: { 'index.js': code } },
    );
    const [zero, one, two] = ['zero', 'one', 'two'].map((name) => join(world.logs, name));
    await start('zero', { own: zero, other: zero });
    await world.executions[0]?.ended;
    await Promise.all([start('one', { own: one, other: two }), start('two', { own: two, other: one })]);
    const ends = await Promise.all(world.executions.slice(1).map(({ ended }) => ended));
    const pids = ends.map((end) => (end.status === 'SUCCEEDED' ? end.output : undefined));
    expect(pids).toEqual([expect.any(Number), expect.any(Number)]);
    expect(new Set(pids).size).toBe(2);
  });
});
