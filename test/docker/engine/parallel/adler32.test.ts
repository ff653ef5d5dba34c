import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { Adler32 } from '../../../../docker/engine/parallel/adler32.ts';

const MIB = 1024 * 1024;

/** zlib's own format ends with the checksum. */
function adler32Of(bytes: Buffer): number {
  return deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4);
}

test('the checksum is that of the data, although the memory that they are read into is used again', async () => {
  const data = randomBytes(5 * MIB);
  const file = gzipSync(data);
  const adler32 = new Adler32();
  const memory = Buffer.alloc(MIB);
  for (let at = 0; at < file.length; at += MIB) {
    const length = file.copy(memory, 0, at, at + MIB);
    await adler32.write(memory.subarray(0, length));
    memory.fill(0);
  }
  expect(await adler32.end()).toBe(adler32Of(data));
});

test.each([
  ['one zero follows', 1],
  ['many zeros follow', 3 * MIB],
])('it is known although %s', async (_, zeros) => {
  const data = Buffer.from('data');
  const adler32 = new Adler32();
  await adler32.write(Buffer.concat([gzipSync(data), Buffer.alloc(zeros)]));
  await adler32.write(Buffer.alloc(1));
  expect(await adler32.end()).toBe(adler32Of(data));
});

test('bytes that cannot be decompressed are an error of each write, and of the end', async () => {
  const adler32 = new Adler32();
  await expect(adler32.write(Buffer.from('this is not a file of gzip'))).rejects.toThrow('incorrect header check');
  await expect(adler32.write(Buffer.from('more'))).rejects.toThrow('incorrect header check');
  await expect(adler32.end()).rejects.toThrow('incorrect header check');
});
