import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { partCapacity, Spool } from '../../../docker/engine/spool.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

test.each([
  ['the desired size', 2 * GIB, 100 * GIB, 2 * GIB],
  ['an eighth of the free disk', 5 * GIB, 16 * GIB, 2 * GIB],
  ['the maximum in memory, on a full disk', 5 * GIB, 0, 16 * MIB],
  ['a small size, on any disk', 8 * MIB, 0, 8 * MIB],
])('a part has %s', (_, desired, free, expected) => {
  expect(partCapacity(desired, free)).toBe(expected);
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a part held in memory is streamed in small chunks', async () => {
  const spool = new Spool(folder);
  await spool.begin(8 * MIB);
  await spool.write(Buffer.alloc(3 * MIB));
  const part = await spool.close(7);
  const sizes: number[] = [];
  for await (const chunk of part.open()) {
    sizes.push((chunk as Buffer).length);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(3 * MIB);
});

describe.each([
  ['in memory', 8 * MIB, 0],
  ['on disk', 100 * MIB, 1],
])('a part held %s', (_, size, files) => {
  test('can be read repeatedly until it is discarded', async () => {
    const spool = new Spool(folder);
    await spool.begin(size);
    await spool.write(Buffer.from('one, '));
    await spool.write(Buffer.from('two'));
    const part = await spool.close(7);
    await spool.begin(size);
    await spool.write(Buffer.from('another'));
    expect(part).toMatchObject({ bytes: 8, crc32: 7 });
    expect(String(await buffer(part.open()))).toBe('one, two');
    expect(String(await buffer(part.open()))).toBe('one, two');
    expect(await readdir(folder)).toHaveLength(2 * files);
    await part.discard();
    await spool.abandon();
    expect(await readdir(folder)).toHaveLength(files);
  });
});
