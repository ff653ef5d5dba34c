import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from '@jest/globals';

const execute = promisify(execFile);

/** Mounting a small disk requires root on Linux. */
export const asRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0 ? test : test.skip;

/** Runs a function with a small disk, mounted at the folder that it receives. */
export async function withSmallDisk(work: (folder: string) => Promise<void>, mebibytes = 2): Promise<void> {
  const disk = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  await execute('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'autodump-test', disk]);
  try {
    await work(disk);
  } finally {
    await execute('umount', [disk]);
    await rm(disk, { recursive: true });
  }
}
