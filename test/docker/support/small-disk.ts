import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from '@jest/globals';

const execute = promisify(execFile);

/** Whoever else can't mount a small disk. */
export const asRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0 ? test : test.skip;

/** Does something with a small disk, given by the folder that it is mounted at. */
export async function withSmallDisk(act: (folder: string) => Promise<void>, mebibytes = 2): Promise<void> {
  const disk = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  await execute('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'autodump-test', disk]);
  try {
    await act(disk);
  } finally {
    await execute('umount', [disk]);
    await rm(disk, { recursive: true });
  }
}
