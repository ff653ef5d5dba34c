import { createHash } from 'node:crypto';

import { Crc64Nvme } from '@aws-sdk/checksums/crc';

/** What proves that bytes are the same bytes. */
export interface Checksums {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Base64 of the eight bytes, high byte first, as S3 gives and takes it. */
  readonly crc64nvme: string;
}

/** Computes the checksums of bytes as they pass. */
export class Checksum {
  #bytes = 0;
  readonly #sha256 = createHash('sha256');
  readonly #crc64nvme = new Crc64Nvme();

  /** Number of bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Yields the chunks unchanged, each counted before. */
  async *of(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      this.#sha256.update(chunk);
      this.#crc64nvme.update(chunk);
      yield chunk;
    }
  }

  /** To be called once, after the last byte. */
  async result(): Promise<Checksums> {
    return {
      bytes: this.#bytes,
      sha256: this.#sha256.digest('hex'),
      crc64nvme: Buffer.from(await this.#crc64nvme.digest()).toString('base64'),
    };
  }
}
