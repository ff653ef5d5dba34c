import { rm, stat } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { fitsSocket, socketFolderFor } from '../../../../docker/drill/server/socket-folder.ts';

test('a socket is in the folder of its server', async () => {
  expect(await socketFolderFor('/scratch/autodump-AbCdEf')).toBe('/scratch/autodump-AbCdEf');
});

test('below a TMPDIR with a long path, a socket has a private folder of its own', async () => {
  const long = `/var/folders/${'x'.repeat(80)}/autodump-AbCdEf`;
  const folder = await socketFolderFor(long);
  expect(fitsSocket(long)).toBe(false);
  expect(fitsSocket(folder)).toBe(true);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await rm(folder, { recursive: true });
});
