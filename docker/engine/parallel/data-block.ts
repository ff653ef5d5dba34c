import { open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DATA_BLOCK, LARGE_OBJECTS_BLOCK } from '../../archive/archive-reader.ts';
import { type DataKind, int, type WrittenCompression } from '../../archive/archive-writer.ts';
import { Failure } from '../../failure.ts';
import type { Compression } from '../../postgres/clients.ts';
import { adler32Of } from './adler32.ts';
import { type Chunk, chunked, DataFile, type FileRange, lengthOf, rangesOf } from './chunk.ts';

/**
 * The data of an entry as a block of the custom format, from the files of the directory format:
 * pg_backup_directory.c and pg_backup_custom.c of PostgreSQL's src/bin/pg_dump.
 */

/** An entry whose data pg_dump has written completely. */
export interface FinishedEntry {
  readonly id: number;
  readonly kind: DataKind;
}

export interface DataBlockOfFiles extends FinishedEntry {
  /** Names of the files that pg_dump wrote for it. */
  readonly files: readonly string[];
  readonly chunks: readonly Chunk[];
}

/** The folder that pg_dump writes to, and how. */
export interface DumpFolder {
  readonly path: string;
  readonly compression: Compression;
  readonly clientMajor: number;
}

const END = int(0);

const ENDINGS: Readonly<Record<Compression, string>> = { 'zstd:3': '.zst', 'gzip:1': '.gz' };

/** PG_COMPRESSION_GZIP and PG_COMPRESSION_ZSTD in common/compression.h. */
export const WRITTEN: Readonly<Record<Compression, WrittenCompression>> = {
  'gzip:1': { method: 1, level: 1 },
  'zstd:3': { method: 3, level: 3 },
};

/** First major that writes large objects as several entries. */
const GROUPS_SINCE = 17;

/** Name that the table of contents has for the file of an entry. */
export function tocName({ id, kind }: FinishedEntry, clientMajor: number): string {
  return kind === 'TABLE DATA' ? `${id}.dat` : clientMajor < GROUPS_SINCE ? 'blobs.toc' : `blobs_${id}.toc`;
}

/** @throws {Failure} `verificationFailed` if a file is not as expected */
export async function blockOf(entry: FinishedEntry, folder: DumpFolder): Promise<DataBlockOfFiles> {
  const name = tocName(entry, folder.clientMajor);
  const start = (type: number) => Buffer.concat([Buffer.from([type]), int(entry.id)]);
  if (entry.kind === 'TABLE DATA') {
    const file = `${name}${ENDINGS[folder.compression]}`;
    const pieces = [start(DATA_BLOCK), ...(await dataOf(file, folder)), END];
    return { ...entry, files: [file], chunks: chunked(pieces) };
  }
  const files = [name];
  const pieces: (Buffer | FileRange)[] = [start(LARGE_OBJECTS_BLOCK)];
  for (const { oid, file } of await listLargeObjects(join(folder.path, name))) {
    files.push(`${file}${ENDINGS[folder.compression]}`);
    pieces.push(int(oid), ...(await dataOf(`${file}${ENDINGS[folder.compression]}`, folder)), END);
  }
  return { ...entry, files, chunks: chunked([...pieces, END]) };
}

function unexpected(file: string, problem: string): Failure {
  return new Failure(
    'verificationFailed',
    `The file ${file} of pg_dump's output ${problem}: the dump cannot be put together. It was not stored.`,
  );
}

/** The compressed data of a file, each piece after its length. */
async function dataOf(name: string, folder: DumpFolder): Promise<readonly (Buffer | FileRange)[]> {
  const path = join(folder.path, name);
  const { size } = await stat(path).catch(() => {
    throw unexpected(name, 'is missing');
  });
  const data = folder.compression === 'gzip:1' ? await zlibOf(path, size) : rangesOf(new DataFile(path, size), 0, size);
  return data.flatMap((piece) => [int(lengthOf(piece)), piece]);
}

/** What gzopen() of zlib writes before the data: no name, no time. The last byte is that of the system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;

/** First bytes of zlib's own format, for the fastest level. */
const ZLIB_HEADER = Buffer.from([0x78, 0x01]);

/** The custom format has the same compressed bytes as the directory format, but in zlib's own format. */
async function zlibOf(path: string, size: number): Promise<readonly (Buffer | FileRange)[]> {
  const header = Buffer.alloc(GZIP_HEADER.length);
  const handle = await open(path);
  try {
    await handle.read(header);
  } finally {
    await handle.close();
  }
  const [from, to] = [GZIP_HEADER_BYTES, size - GZIP_TRAILER_BYTES];
  if (!header.equals(GZIP_HEADER) || to <= from) {
    throw unexpected(basename(path), 'is not compressed as expected');
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(
    await adler32Of(path).catch((error: unknown) => {
      throw unexpected(basename(path), `cannot be decompressed (${String(error)})`);
    }),
  );
  return [ZLIB_HEADER, ...rangesOf(new DataFile(path, to - from), from, to), checksum];
}

/** @param path of the list, with lines such as `4711 blob_4711.dat` */
async function listLargeObjects(path: string): Promise<readonly { readonly oid: number; readonly file: string }[]> {
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
