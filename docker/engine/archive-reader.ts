import { crc32 } from 'node:zlib';
import { Failure } from '../failure.ts';
import { type ArchiveStructure, damaged, type DataLocation, NO_DATA } from './archive-structure.ts';
import { ByteCursor } from './byte-cursor.ts';

/**
 * pg_dump's custom format, as far as it can be followed without decompressing data: a head (header and table of contents),
 * then a block for each entry with data, each a sequence of chunks, up to the end of the file. It is documented only by
 * PostgreSQL's src/bin/pg_dump: pg_backup_archiver.c (WriteHead, WriteToc) and pg_backup_custom.c.
 */

const MAGIC = 'PGDMP';
const CUSTOM_FORMAT = 1;

/** Minor versions of the format: PostgreSQL 12 to 15 write 1.14, 16 writes 1.15, 17 and 18 write 1.16. */
const OLDEST = 14;
const NEWEST = 16;
const COMPRESSION_BYTE_SINCE = 15;
const RELATION_KIND_SINCE = 16;

/** Seconds, minutes, hours, day, month, year, daylight saving time. */
const TIME_FIELDS = 7;

const DATA_BLOCK = 1;
const LARGE_OBJECTS_BLOCK = 3;

/** Follows the structure of an archive while its bytes arrive. */
export class ArchiveReader {
  readonly #cursor = new ByteCursor();
  readonly #walk: Generator<void, void>;
  readonly #locations = new Map<number, DataLocation>();
  readonly #blocks = new Map<number, number>();
  #version = 0;
  #headBytes: number | undefined;
  #headCrc32 = 0;
  #isBetweenBlocks = false;

  constructor() {
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
    };
  }

  *#archive(): Generator<void, void> {
    yield* this.#header();
    const count = yield* this.#int();
    for (let entry = 0; entry < count; entry += 1) {
      yield* this.#entry();
    }
    this.#headBytes = this.#cursor.position;
    for (;;) {
      this.#isBetweenBlocks = true;
      const start = this.#cursor.position;
      const type = yield* this.#byte();
      this.#isBetweenBlocks = false;
      yield* this.#block(type, start);
    }
  }

  *#header(): Generator<void, void> {
    const magic = yield* this.#bytes(MAGIC.length);
    const [major, minor, , intBytes, offsetBytes, format] = yield* this.#bytes(6);
    if (magic.toString('latin1') !== MAGIC || intBytes !== 4 || offsetBytes !== 8 || format !== CUSTOM_FORMAT) {
      throw damaged('it does not begin with the header of the custom format', 0);
    }
    if (major !== 1 || minor === undefined || minor < OLDEST || minor > NEWEST) {
      throw new Failure(
        'verificationFailed',
        `The dump has version ${major}.${minor} of the archive format, but only 1.${OLDEST} to 1.${NEWEST} can be proven: ` +
          'pg_dump is newer, or older, than this program supports.',
      );
    }
    this.#version = minor;
    yield* minor >= COMPRESSION_BYTE_SINCE ? this.#byte() : this.#int();
    for (let field = 0; field < TIME_FIELDS; field += 1) {
      yield* this.#int();
    }
    // Database, server version, pg_dump version.
    yield* this.#texts(3);
  }

  *#entry(): Generator<void, void> {
    const id = yield* this.#int();
    const hasData = yield* this.#int();
    // Two object identifiers, tag, description.
    yield* this.#texts(4);
    // Section.
    yield* this.#int();
    // Definition, DROP statement, COPY statement, schema, tablespace, table access method.
    yield* this.#texts(6);
    if (this.#version >= RELATION_KIND_SINCE) {
      yield* this.#int();
    }
    // Owner, and a flag that is no longer used.
    yield* this.#texts(2);
    while (yield* this.#text()) {
      // A dependency; an empty text ends the list.
    }
    const location = yield* this.#cursor.read(9);
    const state = location.readUInt8();
    if ((hasData === 0) !== (state === NO_DATA) || this.#locations.has(id)) {
      throw damaged(`entry ${id} of its table of contents is inconsistent`, this.#cursor.position);
    }
    if (state === NO_DATA) {
      // Most entries have no data. With large objects there can be millions of them, so they are not kept individually.
      this.#headCrc32 = crc32(location, this.#headCrc32);
    } else {
      this.#locations.set(id, { state, offset: location.readBigUInt64LE(1) });
    }
  }

  *#block(type: number, start: number): Generator<void, void> {
    const id = yield* this.#int();
    if (!this.#locations.has(id) || this.#blocks.has(id)) {
      throw damaged(`a block belongs to entry ${id}, which has no data or already has a block`, start);
    }
    this.#blocks.set(id, start);
    if (type === DATA_BLOCK) {
      yield* this.#chunks();
    } else if (type === LARGE_OBJECTS_BLOCK) {
      while ((yield* this.#int()) !== 0) {
        yield* this.#chunks();
      }
    } else {
      throw damaged(`a block has the unknown type ${type}`, start);
    }
  }

  *#chunks(): Generator<void, void> {
    for (;;) {
      const bytes = yield* this.#int();
      if (bytes === 0) {
        return;
      }
      if (bytes < 0) {
        throw damaged('a chunk of data has a negative length', this.#cursor.position);
      }
      yield* this.#cursor.advance(bytes);
    }
  }

  /** Reads bytes, which count towards the CRC of the head up to its end. */
  *#bytes(count: number): Generator<void, Buffer> {
    const bytes = yield* this.#cursor.read(count);
    if (this.#headBytes === undefined) {
      this.#headCrc32 = crc32(bytes, this.#headCrc32);
    }
    return bytes;
  }

  *#byte(): Generator<void, number> {
    return (yield* this.#bytes(1)).readUInt8();
  }

  /** A sign byte, then four bytes in little-endian order. */
  *#int(): Generator<void, number> {
    const bytes = yield* this.#bytes(5);
    const value = bytes.readUInt32LE(1);
    return bytes.readUInt8() === 0 ? value : -value;
  }

  *#texts(count: number): Generator<void, void> {
    for (let text = 0; text < count; text += 1) {
      yield* this.#text();
    }
  }

  /** Skips a text of the head. @returns whether it is present: the length of an absent one is -1 */
  *#text(): Generator<void, boolean> {
    const bytes = yield* this.#int();
    if (bytes < 0) {
      return false;
    }
    yield* this.#cursor.advance(bytes, (piece) => {
      this.#headCrc32 = crc32(piece, this.#headCrc32);
    });
    return true;
  }
}
