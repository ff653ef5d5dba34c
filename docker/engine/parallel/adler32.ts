import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** The largest prime below 2^16. */
const BASE = 65521;

/** Bytes after which the sums must be reduced, lest they exceed 32 bits. */
const MOST = 5552;

/** zlib's checksum of what is compressed in a file of gzip. */
export async function adler32Of(path: string): Promise<number> {
  let one = 1;
  let two = 0;
  await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += MOST) {
        for (const byte of chunk.subarray(at, at + MOST)) {
          one += byte;
          two += one;
        }
        one %= BASE;
        two %= BASE;
      }
    }
  });
  return two * 2 ** 16 + one;
}
