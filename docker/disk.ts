import { statfs } from 'node:fs/promises';
import { Failure } from './failure.ts';

/** The local disk is full. */
export class StorageFull extends Failure {
  constructor(detail: string) {
    super('tryAgain', `The storage is full: give the job more storage with the context ephemeralStorageGiB. ${detail}`);
  }
}

/** Whether an error of the file system means that the disk, or the user's quota on it, is full. */
export function isNoSpace(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Free bytes on the disk of a folder. */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
