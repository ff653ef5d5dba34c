import { crc32 } from 'node:zlib';
import { type ArchiveEntry, ArchiveHead, damaged } from './archive-head.ts';
import { type ArchiveStructure, type DataBlock, type DataLocation, NO_DATA } from './archive-structure.ts';
import { ByteCursor } from './byte-cursor.ts';

/**
 * pg_dump's custom format, as far as it can be followed without decompressing data: a head (header and table of
 * contents), then a block for each entry with data, each a sequence of chunks, up to the end of the file. The blocks
 * are documented only by PostgreSQL's src/bin/pg_dump/pg_backup_custom.c.
 */

/** First bytes of blocks: BLK_DATA and BLK_BLOBS in pg_backup_archiver.h. */
export const DATA_BLOCK = 1;
export const LARGE_OBJECTS_BLOCK = 3;

/** Follows the structure of an archive while its bytes arrive. */
export class ArchiveReader {
  readonly #cursor = new ByteCursor();
  readonly #fields = new ArchiveHead(this.#cursor, (piece) => {
    this.#count(piece);
  });
  readonly #walk: Generator<void, void>;
  readonly #locations = new Map<number, DataLocation>();
  readonly #blocks = new Map<number, DataBlock>();
  readonly #onDataEntry: (entry: ArchiveEntry) => void;
  #headBytes: number | undefined;
  #headCrc32 = 0;
  #largeObjects = 0;
  #isBetweenBlocks = false;

  /** @param onDataEntry called with each entry that has data, in their order */
  constructor(onDataEntry: (entry: ArchiveEntry) => void = () => undefined) {
    this.#onDataEntry = onDataEntry;
    this.#walk = this.#archive();
    this.#walk.next();
  }

  /** Length of the head; undefined until all of it has been read. */
  get headBytes(): number | undefined {
    return this.#headBytes;
  }

  /** @throws {Failure} `verificationFailed` if the archive is damaged */
  read(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#cursor.put(chunk);
      this.#walk.next();
    }
  }

  /**
   * Called after the last byte.
   *
   * @throws {Failure} `verificationFailed` if the archive is incomplete
   */
  end(): ArchiveStructure {
    if (this.#headBytes === undefined || !this.#isBetweenBlocks) {
      throw damaged('it is truncated', this.#cursor.position);
    }
    return {
      headBytes: this.#headBytes,
      headCrc32: this.#headCrc32,
      locations: this.#locations,
      blocks: this.#blocks,
      largeObjects: this.#largeObjects,
    };
  }

  *#archive(): Generator<void, void> {
    const count = yield* this.#fields.header();
    for (let entry = 0; entry < count; entry += 1) {
      this.#addEntry(yield* this.#fields.entry());
    }
    this.#headBytes = this.#cursor.position;
    for (;;) {
      this.#isBetweenBlocks = true;
      const start = this.#cursor.position;
      const type = yield* this.#fields.byte();
      this.#isBetweenBlocks = false;
      yield* this.#block(type, start);
    }
  }

  #addEntry(entry: ArchiveEntry): void {
    const { id, hasData, location } = entry;
    const state = location.readUInt8();
    if (hasData !== (state !== NO_DATA) || this.#locations.has(id)) {
      throw damaged(`entry ${id} of its table of contents is inconsistent`, this.#cursor.position);
    }
    if (state === NO_DATA) {
      // Most entries have no data. With large objects there can be millions of them, so they are not kept individually.
      this.#count(location);
    } else {
      this.#locations.set(id, { state, offset: location.readBigUInt64LE(1) });
      this.#onDataEntry(entry);
    }
  }

  *#block(type: number, start: number): Generator<void, void> {
    const id = yield* this.#fields.int();
    if (!this.#locations.has(id) || this.#blocks.has(id)) {
      throw damaged(`a block belongs to entry ${id}, which has no data or already has a block`, start);
    }
    if (type === DATA_BLOCK) {
      yield* this.#chunks();
    } else if (type === LARGE_OBJECTS_BLOCK) {
      while ((yield* this.#fields.int()) !== 0) {
        this.#largeObjects += 1;
        yield* this.#chunks();
      }
    } else {
      throw damaged(`a block has the unknown type ${type}`, start);
    }
    this.#blocks.set(id, { offset: start, length: this.#cursor.position - start });
  }

  *#chunks(): Generator<void, void> {
    for (;;) {
      const bytes = yield* this.#fields.int();
      if (bytes === 0) {
        return;
      }
      if (bytes < 0) {
        throw damaged('a chunk of data has a negative length', this.#cursor.position);
      }
      yield* this.#cursor.advance(bytes);
    }
  }

  /** Bytes count towards the CRC of the head up to its end. */
  #count(piece: Buffer): void {
    if (this.#headBytes === undefined) {
      this.#headCrc32 = crc32(piece, this.#headCrc32);
    }
  }
}
