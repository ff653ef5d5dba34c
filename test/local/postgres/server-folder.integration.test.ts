import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from '@jest/globals';
import { serverFolders } from '../../../local/postgres/server-folder.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const newFolder = tempFolders();

test('another account may execute the programs of a server, whatever the umask', async () => {
  const umask = process.umask(0o077);
  try {
    const [folder = ''] = await serverFolders([{ folder: '/nowhere', version: '16.4', major: 16 }], newFolder());
    const modes = await Promise.all([dirname(folder), folder].map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o711, 0o711]);
  } finally {
    process.umask(umask);
  }
});
