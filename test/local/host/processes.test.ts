import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Processes } from '../../../local/host/processes.ts';
import { until } from '../../support/until.ts';

test('a program that does not exist is reported as not started, and leaves no timer behind', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { ended } = new Processes().start('/nowhere/program', [], { timeoutSeconds: 60 });
  expect(await ended).toMatchObject({ kind: 'not started', error: { code: 'ENOENT' } });
  expect(timers()).toBe(before);
});

test('a program that is not on the PATH is reported as not started', async () => {
  const { ended } = new Processes().start('no-such-program', [], { env: { PATH: '/usr/bin' } });
  expect(await ended).toMatchObject({ kind: 'not started', error: { code: 'ENOENT' } });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a process ends when the one that started it is killed', async () => {
  const script = `
    import { Processes } from './local/host/processes.ts';
    const { child } = new Processes().start('sleep', ['1000'], {});
    process.stdout.write(String(child.pid));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  const commandOfChild = () => {
    try {
      return readFileSync(`/proc/${pid.toString()}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  // It begins as setpriv.
  await until(() => commandOfChild().startsWith('sleep'));
  parent.kill('SIGKILL');
  await until(() => commandOfChild() === '');
});
