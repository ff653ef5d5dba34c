import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Failure } from '../../failure.ts';
import type { SendBuffer, SendBuffers } from './send-buffer.ts';

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

/** Bytes that are read at a time. */
const READ_BYTES = 256 * 1024;

/**
 * A part whose bytes are read when it is sent.
 *
 * @param read yields them, read into the buffer
 * @param discard frees them
 */
export function readPart(
  { bytes, crc32 }: Pick<Part, 'bytes' | 'crc32'>,
  buffers: SendBuffers,
  read: (buffer: SendBuffer) => AsyncIterable<Buffer>,
  discard: () => Promise<void>,
): Part {
  let buffer: SendBuffer | undefined;
  return {
    bytes,
    crc32,
    open: () => Readable.from(read((buffer ??= buffers.take())), { objectMode: false }),
    discard: async () => {
      if (buffer !== undefined) {
        buffers.give(buffer);
        buffer = undefined;
      }
      await discard();
    },
  };
}

/**
 * Reads the bytes `from` to `to` of a file, the latter excluded.
 *
 * @throws {Failure} `verificationFailed` if the file is shorter
 */
export async function* readRange(file: string, from: number, to: number, buffer: SendBuffer): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    for (let at = from; at < to;) {
      const place = buffer.next(Math.min(READ_BYTES, to - at));
      const { bytesRead } = await handle.read(place, 0, place.length, at);
      if (bytesRead === 0) {
        throw new Failure('verificationFailed', 'A file on the local disk was truncated while it was being uploaded.');
      }
      at += bytesRead;
      yield place.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
