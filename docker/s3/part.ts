import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { Failure } from '../failure.ts';

/** Bytes on their way to S3, which can be sent as often as it takes. */
export interface Part {
  readonly bytes: number;
  /** Of the bytes that were proven; S3 refuses others. */
  readonly crc: bigint;
  /** Gives them from the first to the last. */
  readonly open: () => Readable;
  /** To be called when they are needed no more. */
  readonly discard: () => Promise<void>;
}

async function* exactly(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let missing = bytes;
  for await (const chunk of chunks) {
    missing -= chunk.length;
    yield chunk;
  }
  if (missing !== 0) {
    throw new Failure('verificationFailed', 'A file on the local disk got shorter while it was uploaded.');
  }
}

/** The bytes `from` to `to` of a file, the latter not included. */
export function readRange(file: string, from: number, to: number): Readable {
  const chunks = createReadStream(file, { start: from, end: to - 1, highWaterMark: 256 * 1024 });
  return Readable.from(exactly(chunks, to - from), { objectMode: false });
}
