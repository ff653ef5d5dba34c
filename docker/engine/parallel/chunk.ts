import { open } from 'node:fs/promises';
import { Failure } from '../../failure.ts';
import { type FileRange, RANGE_BYTES } from './data-file.ts';

export type Piece = Buffer | FileRange;

/** Consecutive bytes of an archive, of which a part of the upload has all or none. */
export interface Chunk {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

/** A chunk that was read for the proof. */
export interface ProvenChunk extends Chunk {
  readonly crc32: number;
}

/** Bytes at which a chunk ends. */
const FULL = 1024 * 1024;

/** Upper limit of the bytes of a chunk. */
export const LARGEST_CHUNK = FULL + RANGE_BYTES;

export function lengthOf(piece: Piece): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.to - piece.from;
}

/** Divides pieces into chunks. */
export async function* chunked(pieces: AsyncIterable<Piece>): AsyncGenerator<Chunk> {
  let filling: Piece[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    filling.push(piece);
    bytes += lengthOf(piece);
    if (bytes >= FULL) {
      yield { pieces: filling, bytes };
      [filling, bytes] = [[], 0];
    }
  }
  if (bytes > 0) {
    yield { pieces: filling, bytes };
  }
}

/**
 * Reads all bytes.
 *
 * @param buffer to read them into, at least that long
 * @throws {Failure} `verificationFailed` if a file is shorter
 */
export async function bytesOf({ pieces, bytes }: Chunk, buffer: Buffer): Promise<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    const place = buffer.subarray(at, at + lengthOf(piece));
    at += place.length;
    if (Buffer.isBuffer(piece)) {
      place.set(piece);
    } else {
      await readInto(place, piece);
    }
  }
  return buffer.subarray(0, bytes);
}

async function readInto(place: Buffer, { file, from }: FileRange): Promise<void> {
  const handle = await open(file.path);
  try {
    const { bytesRead } = await handle.read(place, 0, place.length, from);
    if (bytesRead !== place.length) {
      throw new Failure('verificationFailed', 'A file that pg_dump wrote was truncated while it was being read.');
    }
  } finally {
    await handle.close();
  }
}

/** Frees the bytes of chunks. */
export async function release(chunks: readonly Chunk[]): Promise<void> {
  for (const piece of chunks.flatMap(({ pieces }) => pieces)) {
    if (!Buffer.isBuffer(piece)) {
      await piece.file.release(piece.from, piece.to);
    }
  }
}
