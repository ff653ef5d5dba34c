import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Misuse } from '../local/host/misuse.ts';

const execute = promisify(execFile);

/**
 * Mounts a disk that is in memory.
 *
 * @param folder an empty one
 * @param bytes of the disk
 * @returns what unmounts it
 * @throws {Misuse} if that is not allowed
 */
export async function mountDisk(folder: string, bytes: number): Promise<() => Promise<void>> {
  const options = ['-t', 'tmpfs', '-o', `size=${Math.ceil(bytes)}`, 'autodump-bench', folder];
  await execute('mount', options).catch((error: unknown) => {
    throw new Misuse(`--disk mounts a file system, which requires root on Linux: ${String(error)}`);
  });
  return async () => {
    await execute('umount', [folder]);
  };
}
