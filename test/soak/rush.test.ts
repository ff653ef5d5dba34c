import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { RushResult } from '../../simulation/cost/rush.ts';
import { useStack } from '../simulation/support/stack.ts';

const stack = useStack();

test('a thousand runs that are due at the same second all start, in an account that runs ten functions at a time', async () => {
  const program = join(import.meta.dirname, 'rush-program.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, stack.cdkOut, '1000']);
  const { dumped, failed, throttled } = JSON.parse(stdout) as RushResult;
  expect({ dumped, failed }).toEqual({ dumped: 1000, failed: 0 });
  expect(throttled).toBeGreaterThan(1000);
});
