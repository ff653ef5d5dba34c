import { Failure } from '../failure.ts';
import { crc64nvme } from '../s3/crc64nvme.ts';

/**
 * The custom format of pg_dump, as far as it can be followed without unpacking data: a head (header and table of
 * contents), then a block for each entry with data, each a sequence of chunks, up to the end of the file. Written down
 * nowhere but in PostgreSQL's src/bin/pg_dump: pg_backup_archiver.c (WriteHead, WriteToc), pg_backup_custom.c.
 */

const MAGIC = 'PGDMP';
const CUSTOM = 1;

/** Versions of the format: 1.14 is that of PostgreSQL 12 to 15, 1.15 that of 16, 1.16 that of 17 and 18. */
const OLDEST = 14;
const NEWEST = 16;
const WITH_COMPRESSION_BYTE = 15;
const WITH_RELATION_KIND = 16;

/** Seconds, minutes, hours, day, month, year, daylight saving time. */
const TIME_FIELDS = 7;

const OFFSET_SET = 2;
const NO_DATA = 3;

const DATA_BLOCK = 1;
const LARGE_OBJECTS_BLOCK = 3;

/** What an entry of the table of contents says of its data. */
interface Location {
  /** 1 before the offset is known, 2 with an offset. */
  readonly state: number;
  readonly offset: bigint;
}

/** What was found in an archive that is whole. */
export interface Structure {
  /** Length of the head. */
  readonly headBytes: number;
  /** CRC of the head without what it says of locations of data. */
  readonly headCrc: bigint;
  /** By the number of the entry, of those with data. */
  readonly locations: ReadonlyMap<number, Location>;
  /** Where the block of an entry begins, by the entry's number. */
  readonly blocks: ReadonlyMap<number, number>;
}

function damaged(what: string, at: number): Failure {
  return new Failure('verificationFailed', `The dump is not whole: ${what}, at byte ${at}. There is no object.`);
}

/** Gives bytes one after the other, however they come; each method yields when it needs more. */
class Cursor {
  /** Of the next byte. */
  position = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  put(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  get isEmpty(): boolean {
    return this.#at === this.#chunk.length;
  }

  /** Passes over bytes, which are shown in pieces. */
  *pass(count: number, show: (piece: Buffer) => void = () => undefined): Generator<void, void> {
    let missing = count;
    while (missing > 0) {
      if (this.isEmpty) {
        yield;
        continue;
      }
      const piece = this.#chunk.subarray(this.#at, this.#at + missing);
      this.#at += piece.length;
      this.position += piece.length;
      missing -= piece.length;
      show(piece);
    }
  }

  /** A copy of a few bytes: chunks do not outlive the next one. */
  *take(count: number): Generator<void, Buffer> {
    const bytes = Buffer.allocUnsafe(count);
    let length = 0;
    yield* this.pass(count, (piece) => {
      length += piece.copy(bytes, length);
    });
    return bytes;
  }
}

/**
 * Follows an archive as its bytes come.
 *
 * @throws {Failure} `verificationFailed` where bytes make no archive
 */
export class ArchiveReader {
  readonly #cursor = new Cursor();
  readonly #walk: Generator<void, void>;
  readonly #locations = new Map<number, Location>();
  readonly #blocks = new Map<number, number>();
  #version = 0;
  #headBytes: number | undefined;
  #headCrc = 0n;
  #isBetweenBlocks = false;

  constructor() {
    this.#walk = this.#archive();
    this.#walk.next();
  }

  /** Length of the head, once all of it was read. */
  get headBytes(): number | undefined {
    return this.#headBytes;
  }

  read(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#cursor.put(chunk);
      this.#walk.next();
    }
  }

  /** To be called after the last byte. */
  end(): Structure {
    if (this.#headBytes === undefined || !this.#isBetweenBlocks) {
      throw damaged('it ends before its end', this.#cursor.position);
    }
    return {
      headBytes: this.#headBytes,
      headCrc: this.#headCrc,
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
    if (magic.toString('latin1') !== MAGIC || intBytes !== 4 || offsetBytes !== 8 || format !== CUSTOM) {
      throw damaged('it does not begin like a dump in the custom format', 0);
    }
    if (major !== 1 || minor === undefined || minor < OLDEST || minor > NEWEST) {
      throw new Failure(
        'verificationFailed',
        `The dump has version ${major}.${minor} of the archive format, and only 1.${OLDEST} to 1.${NEWEST} can be proven: ` +
          'it comes of a pg_dump that is newer, or older, than this program.',
      );
    }
    this.#version = minor;
    yield* minor >= WITH_COMPRESSION_BYTE ? this.#byte() : this.#int();
    for (let field = 0; field < TIME_FIELDS; field += 1) {
      yield* this.#int();
    }
    // Database, version of the server, version of pg_dump.
    yield* this.#texts(3);
  }

  *#entry(): Generator<void, void> {
    const id = yield* this.#int();
    const hasData = yield* this.#int();
    // Two object identifiers, name, kind.
    yield* this.#texts(4);
    // Section.
    yield* this.#int();
    // Three statements, schema, tablespace, access method.
    yield* this.#texts(6);
    if (this.#version >= WITH_RELATION_KIND) {
      yield* this.#int();
    }
    // Owner, and a word of former times.
    yield* this.#texts(2);
    while (yield* this.#text()) {
      // A dependency; the list ends with an empty text.
    }
    const location = yield* this.#cursor.take(9);
    const state = location.readUInt8();
    if ((hasData === 0) !== (state === NO_DATA) || this.#locations.has(id)) {
      throw damaged(`the entry ${id} of its table of contents contradicts itself`, this.#cursor.position);
    }
    if (state === NO_DATA) {
      // Most entries are such, millions where there are large objects, so that they are not kept one by one.
      this.#headCrc = crc64nvme(location, this.#headCrc);
    } else {
      this.#locations.set(id, { state, offset: location.readBigUInt64LE(1) });
    }
  }

  *#block(type: number, start: number): Generator<void, void> {
    const id = yield* this.#int();
    if (!this.#locations.has(id) || this.#blocks.has(id)) {
      throw damaged(`a block is for the entry ${id}, which has no data or has a block already`, start);
    }
    this.#blocks.set(id, start);
    if (type === DATA_BLOCK) {
      yield* this.#chunks();
    } else if (type === LARGE_OBJECTS_BLOCK) {
      while ((yield* this.#int()) !== 0) {
        yield* this.#chunks();
      }
    } else {
      throw damaged(`a block is of the unknown type ${type}`, start);
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
      yield* this.#cursor.pass(bytes);
    }
  }

  /** Bytes of the head count for its CRC; after it, the CRC has been taken. */
  *#bytes(count: number): Generator<void, Buffer> {
    const bytes = yield* this.#cursor.take(count);
    if (this.#headBytes === undefined) {
      this.#headCrc = crc64nvme(bytes, this.#headCrc);
    }
    return bytes;
  }

  *#byte(): Generator<void, number> {
    return (yield* this.#bytes(1)).readUInt8();
  }

  /** A sign, then four bytes, the low one first. */
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

  /** @returns whether there is one: an empty place has the length -1 */
  *#text(): Generator<void, boolean> {
    const bytes = yield* this.#int();
    if (bytes < 0) {
      return false;
    }
    yield* this.#cursor.pass(bytes, (piece) => {
      this.#headCrc = crc64nvme(piece, this.#headCrc);
    });
    return true;
  }
}

/**
 * pg_dump rewrites the head when the file is complete, to set the offsets of the blocks. What it has become may differ
 * from the head that was proven in these only, and each has to be where its block was seen.
 *
 * @throws {Failure} `verificationFailed`
 */
export function checkFinalHead(proven: Structure, final: Structure): void {
  if (final.headBytes !== proven.headBytes || final.headCrc !== proven.headCrc) {
    throw damaged('its table of contents is not the one that was proven', final.headBytes);
  }
  for (const [id, { state, offset }] of final.locations) {
    const block = proven.blocks.get(id);
    const before = proven.locations.get(id);
    const isRight =
      block === undefined
        ? state === before?.state && offset === before.offset
        : state === OFFSET_SET && offset === BigInt(block);
    if (!isRight) {
      throw damaged(`the table of contents does not say where the data of its entry ${id} are`, final.headBytes);
    }
  }
}
