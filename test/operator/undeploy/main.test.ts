import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';

test('undeploy ends like a broken pipe, without a stack trace, if its output has lost its reader', async () => {
  const program = spawn(process.execPath, ['operator/undeploy/main.ts', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  program.stdout.destroy();
  const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  expect(exit).toEqual([141, null]);
  expect(stderr).toMatch(/^The output cannot be written, so undeploy stopped: .*Run it again to remove the rest\.\n$/);
});

test('undeploy fails if its output cannot be written', async () => {
  const full = openSync('/dev/full', 'w');
  const program = spawn(process.execPath, ['operator/undeploy/main.ts', '--help'], {
    stdio: ['ignore', full, 'ignore'],
  });
  closeSync(full);
  expect(await once(program, 'exit')).toEqual([1, null]);
});
