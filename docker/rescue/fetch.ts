import { createWriteStream } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { LOCATION_BYTES } from '../archive/archive-head.ts';
import { OFFSET_SET } from '../archive/archive-structure.ts';
import { withProgress } from '../progress.ts';
import { readBlock, type StoredDump } from '../restore/stored-dump/stored-dump.ts';
import type { ArchiveIndex } from './archive-index.ts';
import type { RowsBlock } from './blocks.ts';

/** Bytes per request of the head, whose length is only known at its end. */
const HEAD_PART_BYTES = 512 * 1024;

/** Reads a dump from its beginning, in small parts and none ahead, so that who stops has read little in vain. */
export async function* readBeginning(
  s3: S3Client,
  dump: StoredDump,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = 0; offset < dump.bytes; offset += HEAD_PART_BYTES) {
    yield* readBlock(s3, dump, { offset, length: Math.min(HEAD_PART_BYTES, dump.bytes - offset) }, signal);
  }
}

/** Where the parts of the archive of {@link fetchBlocks} are. */
interface Files {
  /** The beginning of the dump up to its data. */
  readonly head: string;
  /** To create. */
  readonly archive: string;
}

/**
 * Makes an archive of which only some rows can be read: the head of the dump, in which their places are entered, and
 * after it their blocks of data.
 */
export async function fetchBlocks(
  s3: S3Client,
  dump: StoredDump,
  blocks: readonly RowsBlock[],
  { data }: Pick<ArchiveIndex, 'data'>,
  { head, archive }: Files,
  signal: AbortSignal,
): Promise<void> {
  await copyFile(head, archive);
  const file = await open(archive, 'r+');
  try {
    let { size: end } = await file.stat();
    for (const { id, length } of blocks) {
      const location = Buffer.alloc(LOCATION_BYTES);
      location.writeUInt8(OFFSET_SET);
      location.writeBigUInt64LE(BigInt(end), 1);
      await file.write(location, 0, location.length, data.get(id)?.locationAt);
      end += length;
    }
  } finally {
    await file.close();
  }
  const read = async function* () {
    for (const block of blocks) {
      yield* readBlock(s3, dump, block, signal);
    }
  };
  const sink = createWriteStream(archive, { flags: 'a' });
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  const phase = { name: 'Fetching', done: () => sink.bytesWritten, total: { bytes, what: 'of the rows' } };
  await withProgress(phase, () => pipeline(read, sink));
}
