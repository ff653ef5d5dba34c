import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lockStateDir } from '../../../local/host/state-dir.ts';
import { asRootOnLinux } from '../../docker/support/small-disk.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

describe('lockStateDir', () => {
  test('creates the directory, and releases the lock', async () => {
    const directory = join(folder(), 'new', 'one');
    const release = await lockStateDir(directory);
    expect(readdirSync(directory)).toEqual(['lock']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    await release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('locks the directory only once', async () => {
    const directory = folder();
    const release = await lockStateDir(directory);
    await expect(lockStateDir(directory)).rejects.toThrow(`Another local run (process ${process.pid})`);
    await release();
    await (
      await lockStateDir(directory)
    )();
  });

  test('takes over the lock of a process that has exited', async () => {
    const directory = folder();
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(join(directory, 'lock'), `${pid}\n`);
    await (
      await lockStateDir(directory)
    )();
  });

  test.each(['', 'garbage', '-1'])('takes over a lock that contains "%s"', async (text) => {
    const directory = folder();
    writeFileSync(join(directory, 'lock'), text);
    await (
      await lockStateDir(directory)
    )();
  });

  test('refuses a directory that others may write to', async () => {
    const directory = folder();
    chmodSync(directory, 0o770);
    await expect(lockStateDir(directory)).rejects.toThrow('other users may write to it, since its mode is 770.');
    expect(readdirSync(directory)).toEqual([]);
  });

  asRootOnLinux('refuses a directory of another user', async () => {
    const directory = folder();
    chownSync(directory, 65534, 65534);
    await expect(lockStateDir(directory)).rejects.toThrow('it belongs to the user 65534, and this is 0.');
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('fails in a folder in which nothing can be created', async () => {
    await expect(lockStateDir('/proc/x/y')).rejects.toThrow(
      /^\/proc\/x\/y cannot be used as the state directory: .*ENOENT/,
    );
  });

  test('explains why a directory cannot be created', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    await expect(lockStateDir(file)).rejects.toThrow(`${file} cannot be used as the state directory`);
  });
});
