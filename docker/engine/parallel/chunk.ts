import { open, rm } from 'node:fs/promises';
import { Failure } from '../../failure.ts';

/** A file with data, which is deleted once nobody needs any of its bytes. */
export class DataFile {
  readonly path: string;
  #bytesNeeded: number;

  constructor(path: string, bytesNeeded: number) {
    this.path = path;
    this.#bytesNeeded = bytesNeeded;
  }

  async release(bytes: number): Promise<void> {
    this.#bytesNeeded -= bytes;
    if (this.#bytesNeeded === 0) {
      await rm(this.path);
    }
  }
}

/** Bytes `from` to `to` of a file, the latter excluded. */
export interface FileRange {
  readonly file: DataFile;
  readonly from: number;
  readonly to: number;
}

type Piece = Buffer | FileRange;

/** Consecutive bytes of an archive, of which a part of the upload has all or none. */
export interface Chunk {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

/** A chunk that pg_restore has read. */
export interface ProvenChunk extends Chunk {
  readonly crc32: number;
}

/** Bytes at which a chunk ends. */
const FULL = 1024 * 1024;

export function lengthOf(piece: Piece): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.to - piece.from;
}

/** The ranges that a file is read in. */
export function rangesOf(file: DataFile, from: number, to: number): readonly FileRange[] {
  const count = Math.ceil((to - from) / FULL);
  return Array.from({ length: count }, (_, index) => ({
    file,
    from: from + index * FULL,
    to: Math.min(from + (index + 1) * FULL, to),
  }));
}

/** Divides pieces into chunks. */
export function chunked(pieces: Iterable<Piece>): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let filling: Piece[] = [];
  let bytes = 0;
  const close = () => {
    chunks.push({ pieces: filling, bytes });
    [filling, bytes] = [[], 0];
  };
  for (const piece of pieces) {
    filling.push(piece);
    bytes += lengthOf(piece);
    if (bytes >= FULL) {
      close();
    }
  }
  if (bytes > 0) {
    close();
  }
  return chunks;
}

/**
 * Reads all bytes: about a mebibyte or two at most.
 *
 * @throws {Failure} `verificationFailed` if a file is shorter
 */
export async function bytesOf({ pieces, bytes }: Chunk): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
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
  return buffer;
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

/** Frees the bytes. */
export async function release({ pieces }: Chunk): Promise<void> {
  for (const piece of pieces) {
    if (!Buffer.isBuffer(piece)) {
      await piece.file.release(lengthOf(piece));
    }
  }
}
