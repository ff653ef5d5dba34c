import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { follow } from '../../../docker/engine/tail.ts';

test('a file is followed to its last byte after its writer has exited', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const file = join(folder, 'file');
  const writer = await open(file, 'wx');
  let exit: () => void = () => undefined;
  const writerExit = new Promise<void>((resolve) => (exit = resolve));
  const chunks = follow(file, writerExit);
  const next = async () => String((await chunks.next()).value);
  await writer.write('first');
  expect(await next()).toBe('first');
  const second = next();
  await writer.write('second');
  expect(await second).toBe('second');
  await writer.write('last');
  exit();
  expect(await next()).toBe('last');
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
  await writer.close();
  await rm(folder, { recursive: true });
});

test('a writer that fails has exited as well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const file = join(folder, 'file');
  await (await open(file, 'wx')).close();
  const chunks = follow(file, Promise.reject(new Error('broken')));
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
  await rm(folder, { recursive: true });
});
