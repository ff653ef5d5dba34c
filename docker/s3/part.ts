import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { Failure } from '../failure.ts';

/** A part of a dump. It can be sent repeatedly until it is discarded. */
export interface Part {
  readonly bytes: number;
  /** Of the proven bytes; S3 refuses any others. */
  readonly crc32: number;
  /** Opens a stream of the bytes, from the first to the last. */
  readonly open: () => Readable;
  /** Frees the bytes. */
  readonly discard: () => Promise<void>;
}

async function* exactly(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let missing = bytes;
  for await (const chunk of chunks) {
    missing -= chunk.length;
    yield chunk;
  }
  if (missing !== 0) {
    throw new Failure('verificationFailed', 'A file on the local disk was truncated while it was being uploaded.');
  }
}

/**
 * Streams the bytes `from` to `to` of a file, the latter excluded. The stream fails with a {@link Failure} if the file
 * is shorter.
 */
export function readRange(file: string, from: number, to: number): Readable {
  const chunks = createReadStream(file, { start: from, end: to - 1, highWaterMark: 256 * 1024 });
  return Readable.from(exactly(chunks, to - from), { objectMode: false });
}
