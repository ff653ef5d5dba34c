import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isNoSpace, StorageFull } from '../disk.ts';
import { SMALLEST_PART } from '../s3/part/part-size.ts';
import { type Part, readPart, readRange } from '../s3/part/part.ts';
import { SendBuffers } from '../s3/part/send-buffer.ts';
import { slices } from './slices.ts';

/** A part of up to this size is held in memory: about 100 MiB, with the parts being sent and the first one. */
const LARGEST_IN_MEMORY = 2 * SMALLEST_PART;

/** One part occupies at most this fraction of the free disk space. */
const DISK_FRACTION = 8;

/** Holds the bytes of a single part. */
interface Holder {
  readonly write: (bytes: Buffer) => Promise<void>;
  readonly close: (crc32: number) => Promise<Part>;
  readonly abandon: () => Promise<void>;
}

/**
 * @param desired bytes
 * @param free bytes on the disk
 * @returns the largest part size, up to the desired one, that can be held
 */
export function partCapacity(desired: number, free: number): number {
  return Math.min(desired, Math.max(LARGEST_IN_MEMORY, Math.floor(free / DISK_FRACTION)));
}

/**
 * Holds the parts of a streamed dump: small ones in memory, so that it needs no disk space, and large ones on disk, so
 * that it needs no memory. They are filled one at a time.
 */
export class Spool {
  readonly #folder: string;
  /** Buffers of discarded parts, for reuse. */
  readonly #freeBuffers: Buffer[] = [];
  /** For parts on disk. */
  readonly #sendBuffers = new SendBuffers();
  #files = 0;
  #filling: Holder | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Begins a part. @param size its maximum, in bytes */
  async begin(size: number): Promise<void> {
    this.#filling = size <= LARGEST_IN_MEMORY ? this.#inMemory() : await this.#onDisk();
  }

  /** @throws {StorageFull} if the disk is full */
  async write(bytes: Buffer): Promise<void> {
    await this.#filling?.write(bytes);
  }

  /** Completes the part. @param crc32 of its bytes */
  async close(crc32: number): Promise<Part> {
    const part = await this.#filling?.close(crc32);
    if (part === undefined) {
      throw new Error('No part was begun.');
    }
    this.#filling = undefined;
    return part;
  }

  /** Releases a part that was not completed. */
  async abandon(): Promise<void> {
    await this.#filling?.abandon();
  }

  #inMemory(): Holder {
    const buffer = this.#freeBuffers.pop() ?? Buffer.allocUnsafeSlow(LARGEST_IN_MEMORY);
    let length = 0;
    return {
      write: (bytes) => {
        length += bytes.copy(buffer, length);
        return Promise.resolve();
      },
      close: (crc32) =>
        Promise.resolve({
          bytes: length,
          crc32,
          open: () => Readable.from(slices(buffer.subarray(0, length)), { objectMode: false }),
          discard: () => {
            this.#freeBuffers.push(buffer);
            return Promise.resolve();
          },
        }),
      abandon: () => Promise.resolve(),
    };
  }

  async #onDisk(): Promise<Holder> {
    this.#files += 1;
    const file = join(this.#folder, `part-${this.#files}`);
    const handle = await open(file, 'wx', 0o600);
    let length = 0;
    return {
      write: async (bytes) => {
        await writeAll(handle, bytes);
        length += bytes.length;
      },
      close: async (crc32) => {
        await handle.close();
        return readPart(
          { bytes: length, crc32 },
          this.#sendBuffers,
          (buffer) => readRange(file, 0, length, buffer),
          () => rm(file, { force: true }),
        );
      },
      abandon: () => handle.close(),
    };
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  try {
    await handle.writeFile(bytes);
  } catch (error) {
    if (isNoSpace(error)) {
      throw new StorageFull('There was no room for a part of the streamed dump.');
    }
    throw error;
  }
}
