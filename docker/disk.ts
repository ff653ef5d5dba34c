import { statfs } from 'node:fs/promises';
import { Failure } from './failure.ts';

/** The disk took no more. */
export class StorageFull extends Failure {
  constructor(detail: string) {
    super('tryAgain', `The storage is full: give the job more with the context ephemeralStorageGiB. ${detail}`);
  }
}

/** Whether an error of the file system says that the disk is full. */
export function isNoSpace(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Bytes that the disk of a folder has room for. */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
