import { createGunzip } from 'node:zlib';

/** The largest prime below 2^16. */
const BASE = 65521;

/** Bytes after which the sums must be reduced, lest they exceed 32 bits. */
const MOST = 5552;

/** zlib's checksum of what is compressed in a file of gzip, whose bytes it is given. */
export class Adler32 {
  readonly #gunzip = createGunzip();
  readonly #sum = sumOf(this.#gunzip);

  constructor() {
    // Its error is that of the next write, or of the end.
    this.#sum.catch(() => undefined);
  }

  /**
   * Resolves when the bytes are not needed any more.
   *
   * @throws {Error} if they cannot be decompressed
   */
  async write(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // After an error, the callback of the write may never be called.
      this.#gunzip.once('error', reject);
      this.#gunzip.write(bytes, (error) => {
        this.#gunzip.off('error', reject);
        if (error) {
          reject(this.#gunzip.errored ?? error);
        } else {
          resolve();
        }
      });
    });
  }

  /** @throws {Error} if the bytes cannot be decompressed */
  async end(): Promise<number> {
    this.#gunzip.end();
    return this.#sum;
  }
}

async function sumOf(chunks: AsyncIterable<Buffer>): Promise<number> {
  let one = 1;
  let two = 0;
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
  return two * 2 ** 16 + one;
}
