import { appendFileSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, jest, test } from '@jest/globals';
import { DataFile, type FileRange, FREED_BYTES, RANGE_BYTES } from '../../../../docker/engine/parallel/data-file.ts';
import { tempFolders } from '../../../support/temp-folder.ts';

const createFolder = tempFolders();

let path: string;

beforeEach(() => {
  path = join(createFolder(), 'data');
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

async function rangesOf(file: DataFile): Promise<readonly FileRange[]> {
  const ranges: FileRange[] = [];
  for await (const range of file.ranges(0, 0, () => true)) {
    ranges.push(range);
  }
  return ranges;
}

test('what is released, in whatever order, is freed once it is enough', async () => {
  await writeFile(path, Buffer.alloc(FREED_BYTES + RANGE_BYTES, 'a'));
  const before = (await blocks()) ?? 0;
  const file = new DataFile(path);
  const [, second, ...others] = await rangesOf(file);
  for (const { from, to } of others.toReversed()) {
    await file.release(from, to);
  }
  expect(await blocks()).toBe(before);
  await file.release(second?.from ?? 0, second?.to ?? 0);
  if (process.platform === 'linux') {
    expect(await blocks()).toBeLessThan(before / 10);
  }
});

test('a file is deleted when it is complete and nothing of it is needed', async () => {
  await writeFile(path, Buffer.alloc(2 * RANGE_BYTES, 'a'));
  const file = new DataFile(path);
  const ranges = file.ranges(0, 0, () => true);
  await ranges.next();
  await ranges.next();
  await ranges.next();
  await file.release(0, 2 * RANGE_BYTES);
  expect(await blocks()).toBeDefined();
  await file.complete();
  expect(await blocks()).toBeUndefined();
});

test('a file is not deleted while a range of it is being freed', async () => {
  await writeFile(path, Buffer.alloc(FREED_BYTES + RANGE_BYTES, 'a'));
  const file = new DataFile(path);
  const ranges = await rangesOf(file);
  await file.complete();
  const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  await Promise.all(ranges.map(({ from, to }) => file.release(from, to)));
  expect(output.mock.calls).toEqual([]);
  output.mockRestore();
  expect(await blocks()).toBeUndefined();
});
