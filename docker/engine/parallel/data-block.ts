import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DATA_BLOCK, LARGE_OBJECTS_BLOCK } from '../../archive/archive-reader.ts';
import { type DataKind, int, type WrittenCompression } from '../../archive/archive-writer.ts';
import { Failure } from '../../failure.ts';
import type { Compression } from '../../postgres/clients.ts';
import { Adler32 } from './adler32.ts';
import { bytesOf, type Chunk, chunked, lengthOf, type Piece } from './chunk.ts';
import { DataFile, type FileRange } from './data-file.ts';

/**
 * The data of an entry as a block of the custom format, from the files of the directory format:
 * pg_backup_directory.c and pg_backup_custom.c of PostgreSQL's src/bin/pg_dump.
 */

/** An entry with data. */
export interface Entry {
  readonly id: number;
  readonly kind: DataKind;
}

/** An entry whose data pg_dump has written or is writing. */
export interface WrittenEntry extends Entry {
  /** @throws {Failure} if they will never be complete */
  readonly isComplete: () => boolean;
}

export interface DataBlockOfFiles extends Entry {
  /** Names of the files that pg_dump wrote for it. */
  readonly files: readonly string[];
  /**
   * Throws a {@link Failure} `verificationFailed` if a file is not as expected.
   *
   * @param buffer of RANGE_BYTES at least, which is overwritten before each chunk
   */
  readonly chunks: (buffer: Buffer) => AsyncIterable<Chunk>;
}

/** The folder that pg_dump writes to, and how. */
export interface DumpFolder {
  readonly path: string;
  readonly compression: Compression;
  readonly clientMajor: number;
}

const END = int(0);

const ENDINGS: Readonly<Record<Compression, string>> = { 'zstd:3': '.zst', 'zstd:1': '.zst', 'gzip:1': '.gz' };

/** PG_COMPRESSION_GZIP and PG_COMPRESSION_ZSTD in common/compression.h. */
export const WRITTEN: Readonly<Record<Compression, WrittenCompression>> = {
  'gzip:1': { method: 1, level: 1 },
  'zstd:1': { method: 3, level: 1 },
  'zstd:3': { method: 3, level: 3 },
};

/** First major that writes large objects as several entries. */
const GROUPS_SINCE = 17;

/** Name that the table of contents has for the file of an entry. */
export function tocName({ id, kind }: Entry, clientMajor: number): string {
  return kind === 'TABLE DATA' ? `${id}.dat` : clientMajor < GROUPS_SINCE ? 'blobs.toc' : `blobs_${id}.toc`;
}

/** @returns the ID of the entry of a table in whose data the file is; undefined if it is another file */
export function tableIn(file: string, { compression }: DumpFolder): number | undefined {
  const [, id, ending] = /^(\d+)\.dat(.*)$/.exec(file) ?? [];
  return ending === ENDINGS[compression] ? Number(id) : undefined;
}

/** @throws {Failure} `verificationFailed` if the list of the large objects is not as expected */
export async function blockOf({ id, kind, isComplete }: WrittenEntry, folder: DumpFolder): Promise<DataBlockOfFiles> {
  const name = tocName({ id, kind }, folder.clientMajor);
  const dataFile = (file: string) => `${file}${ENDINGS[folder.compression]}`;
  if (kind === 'TABLE DATA') {
    const file = dataFile(name);
    return {
      id,
      kind,
      files: [file],
      chunks: (buffer) => chunked(tableBlock({ id, isComplete }, file, { ...folder, buffer })),
    };
  }
  const objects = (await listLargeObjects(join(folder.path, name))).map(({ oid, file }) => ({
    oid,
    file: dataFile(file),
  }));
  const files = [name, ...objects.map(({ file }) => file)];
  return { id, kind, files, chunks: (buffer) => chunked(largeObjectsBlock(id, objects, { ...folder, buffer })) };
}

/** The folder, and memory for one range at a time. */
interface Reading extends DumpFolder {
  readonly buffer: Buffer;
}

function startOf(type: number, id: number): Buffer {
  return Buffer.concat([Buffer.from([type]), int(id)]);
}

async function* tableBlock(
  { id, isComplete }: Pick<WrittenEntry, 'id' | 'isComplete'>,
  file: string,
  reading: Reading,
): AsyncGenerator<Piece> {
  yield startOf(DATA_BLOCK, id);
  yield* dataOf(file, reading, isComplete);
  yield END;
}

async function* largeObjectsBlock(
  id: number,
  objects: readonly LargeObjectFile[],
  reading: Reading,
): AsyncGenerator<Piece> {
  yield startOf(LARGE_OBJECTS_BLOCK, id);
  for (const { oid, file } of objects) {
    yield int(oid);
    yield* dataOf(file, reading, () => true);
    yield END;
  }
  yield END;
}

function unexpected(file: string, problem: string): Failure {
  return new Failure(
    'verificationFailed',
    `The file ${file} of pg_dump's output ${problem}: the dump cannot be put together. It was not stored.`,
  );
}

/** The compressed data of a file, each piece after its length. */
async function* dataOf(
  name: string,
  { path, compression, buffer }: Reading,
  isComplete: () => boolean,
): AsyncGenerator<Piece> {
  const file = new DataFile(join(path, name));
  await stat(file.path).catch(() => {
    throw unexpected(name, 'is missing');
  });
  for await (const piece of compression === 'gzip:1'
    ? zlibOf(file, buffer, isComplete)
    : file.ranges(0, 0, isComplete)) {
    yield int(lengthOf(piece));
    yield piece;
  }
  await file.complete();
}

/** What gzopen() of zlib writes before the data: no name, no time. The last byte is that of the system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;

/** First bytes of zlib's own format, for the fastest level. */
const ZLIB_HEADER = Buffer.from([0x78, 0x01]);

/** The custom format has the same compressed bytes as the directory format, but in zlib's own format. */
async function* zlibOf(file: DataFile, buffer: Buffer, isComplete: () => boolean): AsyncGenerator<Piece> {
  const adler32 = new Adler32();
  const failed = (error: unknown): never => {
    throw unexpected(basename(file.path), `cannot be decompressed (${String(error)})`);
  };
  const bytesIn = (range: FileRange) => bytesOf({ pieces: [range], bytes: lengthOf(range) }, buffer);
  const decompress = async (range: FileRange) => adler32.write(await bytesIn(range)).catch(failed);
  let end = GZIP_HEADER_BYTES;
  const start = { file, from: 0, to: end };
  if (!(await bytesIn(start)).subarray(0, GZIP_HEADER.length).equals(GZIP_HEADER)) {
    throw unexpected(basename(file.path), 'is not compressed as expected');
  }
  await decompress(start);
  yield ZLIB_HEADER;
  for await (const range of file.ranges(end, GZIP_TRAILER_BYTES, isComplete)) {
    await decompress(range);
    yield range;
    end = range.to;
  }
  if (end === GZIP_HEADER_BYTES) {
    throw unexpected(basename(file.path), 'is truncated');
  }
  await decompress({ file, from: end, to: end + GZIP_TRAILER_BYTES });
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(await adler32.end().catch(failed));
  yield checksum;
}

interface LargeObjectFile {
  readonly oid: number;
  readonly file: string;
}

/** @param path of the list, with lines such as `4711 blob_4711.dat` */
async function listLargeObjects(path: string): Promise<readonly LargeObjectFile[]> {
  const list = await readFile(path, 'latin1').catch(() => {
    throw unexpected(basename(path), 'is missing');
  });
  const lines = list.split('\n');
  if (lines.pop() !== '') {
    throw unexpected(basename(path), 'is truncated');
  }
  return lines.map((line) => {
    const [, oid, file] = /^(\d+) (blob_\1\.dat)$/.exec(line) ?? [];
    if (file === undefined) {
      throw unexpected(basename(path), 'has an unknown line');
    }
    return { oid: Number(oid), file };
  });
}
