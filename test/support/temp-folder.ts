import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from '@jest/globals';

/** @returns a function that creates a temporary folder, which is removed after the test */
export function tempFolders(): () => string {
  return foldersRemovedBy(afterEach);
}

/** @returns a function that creates a temporary folder, which is removed after all tests of the file */
export function tempFoldersOfFile(): () => string {
  return foldersRemovedBy(afterAll);
}

function foldersRemovedBy(hook: (remove: () => void) => void): () => string {
  const folders: string[] = [];
  hook(() => {
    for (const folder of folders.splice(0)) {
      rmSync(folder, { recursive: true });
    }
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'autodump-test-'));
    folders.push(folder);
    return folder;
  };
}
