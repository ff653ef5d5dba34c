import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ArchiveReader } from '../../archive/archive-reader.ts';
import { type ArchiveStructure, checkOffsets } from '../../archive/archive-structure.ts';
import { dataHead } from '../../archive/archive-writer.ts';
import { CensusTaker, type TableCensus } from '../../census/census-taker.ts';
import type { LargeObjects } from '../../census/large-object-script.ts';
import type { HashedCount } from '../../census/row-hash.ts';
import type { DumpOptions, DumpRun } from '../dump-run.ts';
import { verificationFailure } from '../pg-dump-failure.ts';
import { runReading } from '../run-reading.ts';
import { bytesOf, LARGEST_CHUNK, type ProvenChunk } from './chunk.ts';
import { type DataBlockOfFiles, type Entry, WRITTEN } from './data-block.ts';

/** A block that pg_restore has read. */
export interface ProvenBlock extends Entry {
  /** Its bytes. */
  readonly length: number;
  /** Undefined if it is of large objects. */
  readonly rows: HashedCount | undefined;
}

export interface ProvenBlocks {
  readonly blocks: readonly ProvenBlock[];
  readonly largeObjects: LargeObjects;
}

/**
 * Proves blocks as parts of an archive that has only them: pg_restore converts them to SQL, in which rows and large
 * objects are counted, and the archive's structure is followed to the last byte.
 *
 * @param onChunk called with the chunks of the blocks and their bytes, in their order, before pg_restore gets them
 * @throws {Failure} `verificationFailed`
 */
export async function proveBlocks(
  { client, compression, environment, folder }: DumpOptions,
  blocks: readonly DataBlockOfFiles[],
  onChunk: (chunk: ProvenChunk, bytes: Buffer) => void,
  dumpRun: DumpRun,
): Promise<ProvenBlocks> {
  const taker = new CensusTaker();
  const reader = new ArchiveReader((entry) => {
    taker.expect(entry);
  });
  const head = dataHead(client.major, WRITTEN[compression], blocks);
  const buffer = Buffer.allocUnsafeSlow(LARGEST_CHUNK);
  async function* input(): AsyncGenerator<Buffer> {
    reader.read(head);
    yield head;
    for (const { chunks } of blocks) {
      for await (const chunk of chunks(buffer)) {
        const bytes = await bytesOf(chunk, buffer);
        reader.read(bytes);
        onChunk({ ...chunk, crc32: crc32(bytes) }, bytes);
        yield bytes;
        dumpRun.proven += bytes.length;
      }
    }
  }
  const own = await mkdtemp(join(folder, 'proof-'));
  try {
    const restored = await runReading(client.pgRestore, ['--file=-'], {
      environment,
      input: input(),
      signal: dumpRun.signal,
      folder: own,
      buffer: taker.buffer,
      onOutput: (piece) => {
        taker.read(piece);
      },
    });
    if (restored.status !== 0 || !restored.tookAllInput) {
      throw verificationFailure(restored);
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  const structure = reader.end();
  checkOffsets(structure);
  const { tables, largeObjects } = taker.end(structure);
  return { blocks: countedBlocks(blocks, structure, tables), largeObjects };
}

/** @param tables in the order of the blocks */
function countedBlocks(
  entries: readonly Entry[],
  { blocks }: ArchiveStructure,
  tables: readonly TableCensus[],
): readonly ProvenBlock[] {
  const counted = tables.values();
  return entries.map(({ id, kind }) => {
    const place = blocks.get(id);
    const table = kind === 'TABLE DATA' ? counted.next().value : undefined;
    if (place === undefined || (kind === 'TABLE DATA' && table === undefined)) {
      throw new Error(`The data of entry ${id} were proven, and yet nothing is known of them.`);
    }
    return { id, kind, length: place.length, rows: table && { count: table.count, hash: table.hash } };
  });
}
