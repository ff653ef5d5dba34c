import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';

/** Makes a folder that is gone after the test. */
export function tempFolders(): () => string {
  const folders: string[] = [];
  afterEach(() => {
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
