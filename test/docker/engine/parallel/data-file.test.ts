import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DataFile, type FileRange, RANGE_BYTES } from '../../../../docker/engine/parallel/data-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  path = join(folder, 'data');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** The blocks that a file occupies; undefined if there is none. */
async function blocks(): Promise<number | undefined> {
  return stat(path).then(
    (file) => file.blocks,
    () => undefined,
  );
}

test('a file is read up to its end while it grows, in whole ranges, without its first and last bytes', async () => {
  await writeFile(path, Buffer.alloc(RANGE_BYTES + 5, 'a'));
  const grown = [Buffer.alloc(10, 'b'), Buffer.alloc(2 * RANGE_BYTES, 'c')];
  const file = new DataFile(path);
  const ranges: string[] = [];
  const isComplete = () => {
    const next = grown.shift();
    if (next !== undefined) {
      appendFileSync(path, next);
    }
    return next === undefined;
  };
  for await (const { from, to } of file.ranges(2, 3, isComplete)) {
    ranges.push(`${from}-${to}`);
  }
  const end = 3 * RANGE_BYTES + 12;
  expect(ranges).toEqual([
    `2-${RANGE_BYTES + 2}`,
    `${RANGE_BYTES + 2}-${2 * RANGE_BYTES + 2}`,
    `${2 * RANGE_BYTES + 2}-${3 * RANGE_BYTES + 2}`,
    `${3 * RANGE_BYTES + 2}-${end}`,
  ]);
});

test('what is released is freed, and the file is deleted when it is complete and nothing of it is needed', async () => {
  await writeFile(path, Buffer.alloc(3 * RANGE_BYTES, 'a'));
  const before = await blocks();
  const file = new DataFile(path);
  const ranges = file.ranges(0, 0, () => true);
  const first = await ranges.next();
  await file.release(0, RANGE_BYTES);
  expect(first.value).toEqual({ file, from: 0, to: RANGE_BYTES });
  if (process.platform === 'linux') {
    expect(await blocks()).toBeLessThan(before ?? 0);
  }
  await file.release(RANGE_BYTES, 3 * RANGE_BYTES);
  expect(await blocks()).toBeDefined();
  await ranges.next();
  await ranges.next();
  await file.complete();
  expect(await blocks()).toBeUndefined();
});

test('a file is not deleted while a range of it is being freed', async () => {
  await writeFile(path, Buffer.alloc(2 * RANGE_BYTES, 'a'));
  const file = new DataFile(path);
  const ranges: FileRange[] = [];
  for await (const range of file.ranges(0, 0, () => true)) {
    ranges.push(range);
  }
  await file.complete();
  const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  await Promise.all(ranges.map(({ from, to }) => file.release(from, to)));
  expect(output.mock.calls).toEqual([]);
  output.mockRestore();
  expect(await blocks()).toBeUndefined();
});
