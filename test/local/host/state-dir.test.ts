import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lockStateDir } from '../../../local/host/state-dir.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

describe('lockStateDir', () => {
  test('creates the directory, and releases the lock', async () => {
    const directory = join(folder(), 'new', 'one');
    const release = await lockStateDir(directory);
    expect(readdirSync(directory)).toEqual(['lock']);
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

  test('explains why a directory cannot be created', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    await expect(lockStateDir(file)).rejects.toThrow(`${file} cannot be used as the state directory`);
  });
});
