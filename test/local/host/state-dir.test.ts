import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { lockStateDir } from '../../../local/host/state-dir.ts';
import { asRootOnLinux } from '../../docker/support/small-disk.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('lockStateDir', () => {
  test('creates the directory, and releases the lock', async () => {
    const directory = join(folder(), 'new', 'one');
    const release = await lockStateDir(directory);
    expect(readdirSync(directory).sort()).toEqual(['autodump-local-run', 'lock']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    await release();
    expect(readdirSync(directory)).toEqual(['autodump-local-run']);
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

  (process.platform === 'linux' ? test : test.skip)('and of one whose ID another process has', async () => {
    const directory = folder();
    writeFileSync(join(directory, 'lock'), `${process.pid}.1\n`);
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

  test.each([['scratch'], ['cdk.out', 's3'], ['.config'], ['Documents', 'lost+found']])(
    'refuses a directory without the mark of a local run, which would delete what is there: %j',
    async (...names) => {
      const directory = folder();
      for (const name of names) {
        mkdirSync(join(directory, name));
      }
      chmodSync(directory, 0o755);
      await expect(lockStateDir(directory)).rejects.toThrow(
        `it is not empty, and lacks the file autodump-local-run, which a local run puts there: it holds ${names.filter((name) => name !== 'lost+found').join(', ')}. If an earlier version`,
      );
      expect(readdirSync(directory).sort()).toEqual([...names].sort());
      expect(statSync(directory).mode & 0o777).toBe(0o755);
    },
  );

  test('takes a directory of an earlier run, which then nobody else may read', async () => {
    const directory = folder();
    const release = await lockStateDir(directory);
    await release();
    for (const name of ['.DS_Store', 'cdk.out', 'cdk.out.home', 'lock.3dd4', 'log', 'lost+found', 's3', 'scratch']) {
      mkdirSync(join(directory, name));
    }
    chmodSync(directory, 0o755);
    await (
      await lockStateDir(directory)
    )();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test.each([
    ['a folder', mkdirSync, 'EISDIR'],
    ['a link', symlinkSync.bind(undefined, 'nowhere'), 'ELOOP'],
  ])('says that a lock that is %s cannot be read', async (_, make, reason) => {
    const directory = folder();
    make(join(directory, 'lock'));
    await expect(lockStateDir(directory)).rejects.toThrow(
      new RegExp(`^${directory} cannot be used as the state directory: .*${reason}: `),
    );
    expect(readdirSync(directory).sort()).toEqual(['autodump-local-run', 'lock']);
  });

  onLinux('takes over a lock that is a pipe, for whose writer it would wait for ever', async () => {
    const directory = folder();
    execFileSync('mkfifo', [join(directory, 'lock')]);
    const release = await lockStateDir(directory);
    expect(readFileSync(join(directory, 'lock'), 'utf8')).toContain(String(process.pid));
    await release();
  });

  test('refuses a path that cannot be part of a PATH', async () => {
    const directory = join(folder(), 'a:b');
    await expect(lockStateDir(directory)).rejects.toThrow(
      'its path contains ":", which separates the folders of a PATH.',
    );
  });

  asRootOnLinux('refuses a directory of another user', async () => {
    const directory = folder();
    chownSync(directory, 65534, 65534);
    await expect(lockStateDir(directory)).rejects.toThrow('it belongs to the user 65534, and this is 0.');
  });

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
