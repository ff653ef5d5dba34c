import { Failure } from '../failure.ts';
import type { ByteCursor } from './byte-cursor.ts';

/**
 * The head of pg_dump's custom format: header and table of contents. It is documented only by PostgreSQL's
 * src/bin/pg_dump: pg_backup_archiver.c (WriteHead, WriteToc). The directory format has the same in its file `toc.dat`,
 * with names of files in place of locations.
 */

export const MAGIC = 'PGDMP';

/** Bytes that say of which format an archive is: that of the directory format claims to be of the format tar. */
export const FORMATS = { custom: 1, directory: 3 } as const;

type ArchiveFormat = keyof typeof FORMATS;

/** Byte of the head that says so. */
export const FORMAT_AT = 10;

/** Minor versions of the format: PostgreSQL 12 to 15 write 1.14, 16 writes 1.15, 17 and 18 write 1.16. */
const OLDEST = 14;
const NEWEST = 16;
export const COMPRESSION_BYTE_SINCE = 15;
export const RELATION_KIND_SINCE = 16;

/** Seconds, minutes, hours, day, month, year, daylight saving time. */
const TIME_FIELDS = 7;

/** The longest text that is kept, in bytes: a name, the names of all columns, or the body of a function. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** Kinds of entries whose statements say more than their names, and are short. */
const DEFINED: ReadonlySet<string> = new Set(['ENCODING', 'EXTENSION', 'POLICY', 'PUBLICATION', 'SERVER']);

function isDefined({ kind }: Pick<ArchiveEntry, 'kind'>): boolean {
  return DEFINED.has(kind);
}

/** Bytes of {@link ArchiveEntry.location}, the last ones of an entry. */
export const LOCATION_BYTES = 9;

/** A sign, then four bytes in little-endian order. */
export const INT_BYTES = 5;

/** In the directory format. It has less, such as `blobs_2147483647.toc`. */
const MAX_FILE_NAME_BYTES = 64;

const EMPTY = Buffer.alloc(0);

/** An entry of the table of contents. Its names are not quoted, and in the encoding of the dump. */
export interface ArchiveEntry {
  readonly id: number;
  /** pg_dump's name of what it creates: `TABLE`, `TABLE DATA`, `ACL`. */
  readonly kind: string;
  /** Of the object; for some kinds, with its own kind before it, as in `TABLE t`. */
  readonly name: Buffer;
  /** Empty for objects outside of schemas. */
  readonly schema: Buffer;
  /** The statement that creates it, if it was asked for; otherwise empty. */
  readonly definition: Buffer;
  /** Whether the archive has data of it. */
  readonly hasData: boolean;
  /** If it is rows, the OID of their table in the dumped database; otherwise 0. */
  readonly oid: number;
  /** If it is rows, the statement that reads them from what follows it: `COPY t (a) FROM stdin;`; otherwise empty. */
  readonly copyStatement: Buffer;
  /** IDs of the entries that it depends on, as far as the archive has them. */
  readonly dependencies: readonly number[];
  /**
   * Where its data are: a byte for the state and eight for the offset. In the directory format, the name of a file, or
   * nothing.
   */
  readonly location: Buffer;
}

/** The archive is damaged. */
export function damaged(problem: string, at: number): Failure {
  return new Failure('verificationFailed', `The dump is damaged: ${problem}, at byte ${at}.`);
}

/** Reads the head, field by field. Its methods yield when the cursor needs another chunk. */
export class ArchiveHead {
  readonly #cursor: ByteCursor;
  readonly #onBytes: (piece: Buffer) => void;
  readonly #format: ArchiveFormat;
  #version = 0;

  /** @param onBytes called with all bytes that are read, except the locations of data */
  constructor(
    cursor: ByteCursor,
    onBytes: (piece: Buffer) => void = () => undefined,
    format: ArchiveFormat = 'custom',
  ) {
    this.#cursor = cursor;
    this.#onBytes = onBytes;
    this.#format = format;
  }

  /**
   * Reads the header.
   *
   * @returns number of entries that follow
   * @throws {Failure} `verificationFailed` if this is no archive, or one of an unknown version
   */
  *header(): Generator<void, number> {
    const magic = yield* this.#bytes(MAGIC.length);
    const [major, minor, , intBytes, offsetBytes, format] = yield* this.#bytes(6);
    if (magic.toString('latin1') !== MAGIC || intBytes !== 4 || offsetBytes !== 8 || format !== FORMATS[this.#format]) {
      throw damaged(`it does not begin with the header of the ${this.#format} format`, 0);
    }
    if (major !== 1 || minor === undefined || minor < OLDEST || minor > NEWEST) {
      throw new Failure(
        'verificationFailed',
        `The dump has version ${major}.${minor} of the archive format, but only 1.${OLDEST} to 1.${NEWEST} can be proven: ` +
          'pg_dump is newer, or older, than this program supports.',
      );
    }
    this.#version = minor;
    yield* minor >= COMPRESSION_BYTE_SINCE ? this.byte() : this.int();
    for (let field = 0; field < TIME_FIELDS; field += 1) {
      yield* this.int();
    }
    // Database, server version, pg_dump version.
    yield* this.#skipTexts(3);
    return yield* this.int();
  }

  /**
   * Reads the next entry.
   *
   * @param wantsDefinition says whose definitions to keep. @default - those of the kinds in {@link DEFINED}
   */
  *entry(
    wantsDefinition: (entry: Pick<ArchiveEntry, 'id' | 'kind'>) => boolean = isDefined,
  ): Generator<void, ArchiveEntry> {
    const id = yield* this.int();
    const hasData = (yield* this.int()) !== 0;
    // OID of the catalog, then of the object.
    yield* this.#skipTexts(1);
    const oid = yield* this.#text(hasData);
    const name = yield* this.#text();
    const kind = (yield* this.#text()).toString();
    // Section.
    yield* this.int();
    const definition = yield* this.#text(wantsDefinition({ id, kind }));
    // DROP statement.
    yield* this.#skipTexts(1);
    const copyStatement = yield* this.#text(hasData);
    const schema = yield* this.#text();
    // Tablespace, table access method.
    yield* this.#skipTexts(2);
    if (this.#version >= RELATION_KIND_SINCE) {
      yield* this.int();
    }
    // Owner, and a flag that is no longer used.
    yield* this.#skipTexts(2);
    const dependencies = yield* this.#dependencies();
    const location = yield* this.#location();
    const texts = { kind, name, schema, definition, copyStatement };
    return { id, ...texts, hasData, oid: Number(oid.toString()), dependencies, location };
  }

  *byte(): Generator<void, number> {
    return (yield* this.#bytes(1)).readUInt8();
  }

  /** A sign byte, then four bytes in little-endian order. */
  *int(): Generator<void, number> {
    const bytes = yield* this.#bytes(INT_BYTES);
    const value = bytes.readUInt32LE(1);
    return bytes.readUInt8() === 0 ? value : -value;
  }

  *#location(): Generator<void, Buffer> {
    if (this.#format === 'custom') {
      return yield* this.#cursor.read(LOCATION_BYTES);
    }
    const length = (yield* this.#cursor.read(INT_BYTES)).readUInt32LE(1);
    if (length > MAX_FILE_NAME_BYTES) {
      throw damaged(`the name of a file has ${length} bytes`, this.#cursor.position);
    }
    return yield* this.#cursor.read(length);
  }

  *#bytes(count: number): Generator<void, Buffer> {
    const bytes = yield* this.#cursor.read(count);
    this.#onBytes(bytes);
    return bytes;
  }

  /** An absent text ends the list. */
  *#dependencies(): Generator<void, readonly number[]> {
    const dependencies: number[] = [];
    for (;;) {
      const id = yield* this.#optionalText();
      if (id === undefined) {
        return dependencies;
      }
      dependencies.push(Number(id.toString()));
    }
  }

  /** @returns the text, empty if it is absent or not wanted */
  *#text(isWanted = true): Generator<void, Buffer> {
    if (!isWanted) {
      yield* this.#skipText();
      return EMPTY;
    }
    return (yield* this.#optionalText()) ?? EMPTY;
  }

  /** @returns the text; undefined if it is absent, whose length is -1 */
  *#optionalText(): Generator<void, Buffer | undefined> {
    const bytes = yield* this.int();
    if (bytes > MAX_TEXT_BYTES) {
      throw damaged(`a text in its table of contents has ${bytes} bytes`, this.#cursor.position);
    }
    return bytes < 0 ? undefined : yield* this.#bytes(bytes);
  }

  *#skipTexts(count: number): Generator<void, void> {
    for (let text = 0; text < count; text += 1) {
      yield* this.#skipText();
    }
  }

  *#skipText(): Generator<void, void> {
    const bytes = yield* this.int();
    yield* this.#cursor.advance(bytes, this.#onBytes);
  }
}
