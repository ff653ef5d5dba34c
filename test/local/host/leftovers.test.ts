import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asRootOnLinux } from '../../docker/support/small-disk.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

/** `TMPDIR` of the programs. */
let temporary: string;
let owner: ReturnType<typeof spawn> | undefined;

beforeEach(() => {
  temporary = folder();
});

afterEach(() => {
  owner?.kill('SIGKILL');
});

const MAKE = `
  import { temporaryFolder } from './local/host/temporary-folder.ts';
  process.stdout.write((await temporaryFolder('sample'))[0]);`;

const SWEEP = `
  import { removeLeftovers } from './local/host/leftovers.ts';
  await removeLeftovers((line) => process.stdout.write(line));`;

const onLinux = process.platform === 'linux' ? test : test.skip;

const command = (script: string): string[] => ['--input-type=module', '-e', script];

function run(script: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, command(script), {
    env: { TMPDIR: temporary },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout;
}

describe('removeLeftovers', () => {
  test('removes the folder of a process that has ended, and ends what runs in it', async () => {
    const dead = run(MAKE);
    mkdirSync(join(dead, 'data'));
    writeFileSync(join(dead, 'data', 'file'), '');
    const wait = 'setInterval(() => {}, 1000)';
    const survivors = [
      spawn(process.execPath, ['-e', wait, '--', '-D', join(dead, 'data')]),
      spawn(process.execPath, ['-e', wait], { env: { TMPDIR: join(dead, 'cdk.out.home') } }),
    ].slice(0, process.platform === 'linux' ? 2 : 1);
    const ended = survivors.map((survivor) => once(survivor, 'exit'));
    await Promise.all(survivors.map((survivor) => once(survivor, 'spawn')));
    expect(run(SWEEP)).toBe('');
    expect(readdirSync(temporary)).toEqual([]);
    expect(await Promise.all(ended)).toEqual(survivors.map(() => [null, 'SIGINT']));
  });

  test('spares those who only look at the folder, or have been there', async () => {
    const dead = run(MAKE);
    const bystanders = [
      spawn('sleep', ['1000'], { env: { PATH: process.env.PATH, OLDPWD: dead }, cwd: dead }),
      spawn('tail', ['-f', '-n', '0', '/dev/null', join(dead, 'log')], { stdio: 'ignore' }),
    ];
    const ended = bystanders.map((bystander) => once(bystander, 'exit'));
    await Promise.all(bystanders.map((bystander) => once(bystander, 'spawn')));
    try {
      expect(run(SWEEP)).toBe('');
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      bystanders.forEach((bystander) => bystander.kill('SIGKILL'));
    }
    expect(await Promise.all(ended)).toEqual(bystanders.map(() => [null, 'SIGKILL']));
  });

  test('does not touch folders of running programs or of anything else', async () => {
    owner = spawn(process.execPath, command(`${MAKE} setInterval(() => {}, 1000);`), { env: { TMPDIR: temporary } });
    await once(owner.stdout ?? owner, 'data');
    for (const name of [
      'autodump-sample-otherhost-999999-abcdef',
      'autodump-test-abcdef',
      'autodump-sample-x',
      'mine',
    ]) {
      mkdirSync(join(temporary, name));
    }
    const before = readdirSync(temporary);
    expect(before).toHaveLength(5);
    expect(run(SWEEP)).toBe('');
    expect(readdirSync(temporary)).toEqual(before);
  });

  onLinux('removes the folder of a process whose ID another one has', () => {
    const dead = run(MAKE);
    const reused = dead.replace(/-\d+\.(\d+-\w+)$/, `-${process.pid}.$1`);
    expect(reused).not.toBe(dead);
    renameSync(dead, reused);
    expect(run(SWEEP)).toBe('');
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('does not follow a link', () => {
    const dead = run(MAKE);
    rmSync(dead, { recursive: true });
    const elsewhere = folder();
    writeFileSync(join(elsewhere, 'file'), '');
    symlinkSync(elsewhere, dead);
    expect(run(SWEEP)).toBe('');
    expect(readdirSync(elsewhere)).toEqual(['file']);
  });

  asRootOnLinux('leaves what another user has put there', () => {
    chownSync(run(MAKE), 65534, 65534);
    expect(run(SWEEP)).toBe('');
    expect(readdirSync(temporary)).toHaveLength(1);
  });
});
