import { tmpdir } from 'node:os';

/** What Node.js, initdb and the server say, in English, of a folder that is full or may not be written to. */
const FOLDER_UNUSABLE = /no space left on device|disk quota exceeded|permission denied|read-only file system/i;

/** For these there is no space left where TMPDIR does not matter: the kernel has a limit. */
const KERNEL_LIMIT = /could not create (?:semaphores|shared memory segment)/;

/** The failure of starting the sample database, with what helps. */
export function sampleFailure(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const isFolderUnusable = FOLDER_UNUSABLE.test(reason) && !KERNEL_LIMIT.test(reason);
  const advice = isFolderUnusable ? `Set TMPDIR to another folder than ${tmpdir()}, or use` : 'Use';
  return new Error(`${reason.replace(/[^.]$/, '$&.')} ${advice} your own database with --database.`, { cause: error });
}
