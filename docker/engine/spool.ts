import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isNoSpace, StorageFull } from '../disk.ts';
import { SMALLEST_PART } from '../s3/part-size.ts';
import { type Part, readRange } from '../s3/part.ts';

/** A part up to this size is held in memory: with those under way and the first, about 100 MiB. */
const LARGEST_IN_MEMORY = 2 * SMALLEST_PART;

/** Bytes of such a part that are sent at a time. */
const SLICE = 256 * 1024;

/** Of the free disk space, one part takes up to this share. */
const DISK_SHARE = 8;

/** Where the bytes of one part are held. */
interface Holder {
  readonly write: (bytes: Buffer) => Promise<void>;
  readonly close: (crc: bigint) => Promise<Part>;
  readonly abandon: () => Promise<void>;
}

/** The largest part that can be held, if one of that size is wished for. */
export function holdable(wanted: number, free: number): number {
  return Math.min(wanted, Math.max(LARGEST_IN_MEMORY, Math.floor(free / DISK_SHARE)));
}

/**
 * Holds the parts of a dump that has no file: small ones in memory, so that it takes no disk at all, and large ones on
 * disk, so that it takes no memory. One is filled at a time.
 */
export class Spool {
  readonly #folder: string;
  readonly #free: Buffer[] = [];
  #count = 0;
  #filling: Holder | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Begins a part. @param size bytes that it has at most */
  async begin(size: number): Promise<void> {
    this.#filling = size <= LARGEST_IN_MEMORY ? this.#inMemory() : await this.#onDisk();
  }

  /** @throws {StorageFull} */
  async write(bytes: Buffer): Promise<void> {
    await this.#filling?.write(bytes);
  }

  /** Ends the part. */
  async close(crc: bigint): Promise<Part> {
    const part = await this.#filling?.close(crc);
    if (part === undefined) {
      throw new Error('A part without bytes.');
    }
    this.#filling = undefined;
    return part;
  }

  /** Lets go of a part that was not ended. */
  async abandon(): Promise<void> {
    await this.#filling?.abandon();
  }

  #inMemory(): Holder {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(LARGEST_IN_MEMORY);
    let length = 0;
    return {
      write: (bytes) => {
        length += bytes.copy(buffer, length);
        return Promise.resolve();
      },
      close: (crc) =>
        Promise.resolve({
          bytes: length,
          crc,
          open: () => Readable.from(slices(buffer.subarray(0, length)), { objectMode: false }),
          discard: () => {
            this.#free.push(buffer);
            return Promise.resolve();
          },
        }),
      abandon: () => Promise.resolve(),
    };
  }

  async #onDisk(): Promise<Holder> {
    this.#count += 1;
    const file = join(this.#folder, `part-${this.#count}`);
    const handle = await open(file, 'wx', 0o600);
    let length = 0;
    return {
      write: async (bytes) => {
        await writeAll(handle, bytes);
        length += bytes.length;
      },
      close: async (crc) => {
        await handle.close();
        return {
          bytes: length,
          crc,
          open: () => readRange(file, 0, length),
          discard: () => rm(file, { force: true }),
        };
      },
      abandon: () => handle.close(),
    };
  }
}

/** TLS holds what it is given a second time until it is sent, so it is given a little at a time. */
function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    yield bytes.subarray(at, at + SLICE);
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  try {
    await handle.writeFile(bytes);
  } catch (error) {
    if (isNoSpace(error)) {
      throw new StorageFull('A part of the dump found no room while it was streamed.');
    }
    throw error;
  }
}
