import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { takeStateDir } from '../../../local/host/state-dir.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();

describe('takeStateDir', () => {
  test('makes the directory, and gives it back', async () => {
    const directory = join(folder(), 'new', 'one');
    const giveBack = await takeStateDir(directory);
    expect(readdirSync(directory)).toEqual(['lock']);
    await giveBack();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('lets one in at a time', async () => {
    const directory = folder();
    const giveBack = await takeStateDir(directory);
    await expect(takeStateDir(directory)).rejects.toThrow(`Another local run (process ${process.pid})`);
    await giveBack();
    await (
      await takeStateDir(directory)
    )();
  });

  test('takes over what a process left that is gone', async () => {
    const directory = folder();
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(join(directory, 'lock'), `${pid}\n`);
    await (
      await takeStateDir(directory)
    )();
  });

  test('tells what is wrong with a directory that can not be made', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    await expect(takeStateDir(file)).rejects.toThrow(`${file} can't be the state directory`);
  });
});
