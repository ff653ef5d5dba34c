import { expect, test } from '@jest/globals';
import { Processes } from '../../../local/host/processes.ts';

test('a program that does not exist is reported as not started, and leaves no timer behind', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { ended } = new Processes().start('/nowhere/program', [], { timeoutSeconds: 60 });
  expect(await ended).toMatchObject({ kind: 'not started', error: { code: 'ENOENT' } });
  expect(timers()).toBe(before);
});
