import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { DataFile, FREED_BYTES, RANGE_BYTES } from '../../../../docker/engine/parallel/data-file.ts';

test('without the program that frees ranges, files are deleted in the end, which is said once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const searchPath = process.env.PATH;
  process.env.PATH = folder;
  try {
    for (const name of ['one', 'other']) {
      const path = join(folder, name);
      await writeFile(path, Buffer.alloc(FREED_BYTES + RANGE_BYTES));
      const file = new DataFile(path);
      for await (const { from, to } of file.ranges(0, 0, () => true)) {
        await file.release(from, to);
      }
      await file.complete();
      await expect(stat(path)).rejects.toThrow('ENOENT');
    }
    const said = output.mock.calls.map(([line]) => String(line));
    expect(said).toEqual([
      expect.stringMatching(
        /Disk space could not be freed before a file has been sent completely: .*fallocate.*ENOENT/,
      ),
    ]);
  } finally {
    process.env.PATH = searchPath;
    jest.restoreAllMocks();
    await rm(folder, { recursive: true });
  }
});
