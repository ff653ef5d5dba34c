import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import { SMALLEST_PART } from '../../../../docker/s3/part/part-size.ts';
import { type Part, readPart, readRange } from '../../../../docker/s3/part/part.ts';
import { SendBuffers } from '../../../../docker/s3/part/send-buffer.ts';
import { tempFolders } from '../../../support/temp-folder.ts';

const createFolder = tempFolders();

let file: string;

beforeEach(() => {
  file = join(createFolder(), 'dump');
});

function partOf(from: number, to: number, buffers = new SendBuffers()): Part {
  const read = (send: Parameters<typeof readRange>[3]) => readRange(file, from, to, send);
  return readPart({ bytes: to - from, crc32: 7 }, buffers, read, () => Promise.resolve());
}

/** Bytes that differ from one kibibyte to the next. */
function contents(bytes: number): Buffer {
  const all = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1024) {
    all.writeUInt32LE(at, at);
  }
  return all;
}

test('a part of a file is read as often as it is sent', async () => {
  await writeFile(file, 'one, two, three');
  const part = partOf(5, 8);
  expect(part).toMatchObject({ bytes: 3, crc32: 7 });
  expect(String(await buffer(part.open()))).toBe('two');
  expect(String(await buffer(part.open()))).toBe('two');
});

test('a part that is larger than the memory for it is sent unchanged by a receiver that takes its time', async () => {
  const all = contents(2.5 * SMALLEST_PART);
  await writeFile(file, all);
  const received: Buffer[] = [];
  // Like a socket, it holds what it is given until that is sent.
  const receiver = new Writable({
    highWaterMark: 64 * 1024,
    write: (chunk: Buffer, _encoding, done) => {
      void setImmediate().then(() => {
        received.push(Buffer.from(chunk));
        done();
      });
    },
  });
  await pipeline(partOf(0, all.length).open(), receiver);
  expect(Buffer.concat(received).equals(all)).toBe(true);
});

test('the memory of a discarded part serves the next one, and no two parts at a time', async () => {
  await writeFile(file, contents(3 * SMALLEST_PART));
  const buffers = new SendBuffers();
  const memoryOf = async (part: Part) => {
    for await (const chunk of part.open()) {
      return (chunk as Buffer).buffer;
    }
    return undefined;
  };
  const [one, other, next] = [0, 1, 2].map((index) =>
    partOf(index * SMALLEST_PART, (index + 1) * SMALLEST_PART, buffers),
  ) as [Part, Part, Part];
  const memory = await memoryOf(one);
  expect(await memoryOf(other)).not.toBe(memory);
  await one.discard();
  expect(await memoryOf(next)).toBe(memory);
});

test('a file that has become shorter is an error, not fewer bytes', async () => {
  await writeFile(file, 'one, two');
  const part = partOf(0, 8);
  await truncate(file, 5);
  await expect(buffer(part.open())).rejects.toThrow('truncated while it was being uploaded');
});
