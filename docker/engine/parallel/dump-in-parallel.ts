import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LargeObjects } from '../../census/large-object-script.ts';
import { sumOf } from '../../census/row-hash.ts';
import { log } from '../../log.ts';
import type { DumpOptions, DumpRun, PartSink, ProvenDump } from '../dump-run.ts';
import { dumpFailure } from '../pg-dump-failure.ts';
import { startPgDump } from '../pg-dump.ts';
import { ArchiveParts } from './archive-parts.ts';
import { assemble, type PlacedBlock, type ProvenData } from './assemble.ts';
import type { ProvenChunk } from './chunk.ts';
import { blockOf, type DataBlockOfFiles, type DumpFolder } from './data-block.ts';
import { RANGE_BYTES } from './data-file.ts';
import { proveBlocks } from './prove-blocks.ts';
import { problemIn, WrittenEntries } from './written-entries.ts';

/**
 * Dumps with several connections. pg_dump can do so only into a folder, with a file for the rows of each table. One
 * after another, they become blocks of an archive of the custom format, without being compressed again; they are
 * proven, uploaded and deleted while others are being written, and a large one while it is being written itself. The
 * head of the archive, with the offsets of all blocks, is made from the folder's table of contents at the end, and is
 * in the first part.
 *
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function dumpInParallel(options: DumpOptions, sink: PartSink, dumpRun: DumpRun): Promise<ProvenDump> {
  const path = join(options.folder, 'data');
  await mkdir(path, { mode: 0o700 });
  const folder = {
    path,
    compression: options.compression,
    clientMajor: options.client.major,
    buffer: Buffer.allocUnsafeSlow(RANGE_BYTES),
  };
  const parts = new ArchiveParts(sink, options.estimate);
  const proven = await proveAll(options, folder, parts, dumpRun);
  return assemble(options, folder, proven, parts, dumpRun);
}

async function proveAll(
  options: DumpOptions,
  folder: DumpFolder,
  parts: ArchiveParts,
  dumpRun: DumpRun,
): Promise<ProvenData> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const entries = new WrittenEntries(folder);
  const { output, exit } = startPgDump(options, dumpRun.signal, {
    folder: folder.path,
    onErrorLine: (line) => {
      entries.read(line);
    },
    kept: problemIn,
  });
  output.resume();
  const dumped = exit.then((end) => {
    dumpRun.seconds.dump = seconds();
    if (end.status !== 0) {
      throw dumpFailure(end);
    }
    end.lastLines.forEach(log);
  });
  // First the reason is known, and then that incomplete data remain so.
  const ended = dumped.catch(dumpRun.fail).finally(() => {
    entries.end();
  });
  const checked = entries.begun.then(() => dumpRun.onceDefined());
  checked.catch(dumpRun.fail);
  try {
    const proven = await proveBatches(options, folder, parts, entries, dumpRun);
    await Promise.all([dumped, checked]);
    dumpRun.seconds.proof = seconds();
    return proven;
  } catch (error) {
    dumpRun.fail(error);
    throw dumpRun.signal.reason;
  } finally {
    await Promise.allSettled([ended, checked]);
  }
}

async function proveBatches(
  options: DumpOptions,
  folder: DumpFolder,
  parts: ArchiveParts,
  entries: WrittenEntries,
  dumpRun: DumpRun,
): Promise<ProvenData> {
  const files: string[] = [];
  const placed: PlacedBlock[] = [];
  const hash = createHash('sha256');
  let objects: LargeObjects = { count: 0, bytes: 0, hash: sumOf([]) };
  for await (const batch of entries.batches()) {
    dumpRun.signal.throwIfAborted();
    const written: DataBlockOfFiles[] = [];
    for (const entry of batch) {
      written.push(await blockOf(entry, folder));
    }
    files.push(...written.flatMap((block) => block.files));
    let offset = parts.bytes;
    const onChunk = (chunk: ProvenChunk, bytes: Buffer) => {
      hash.update(bytes);
      parts.add(chunk);
    };
    const { blocks, largeObjects } = await proveBlocks(options, written, onChunk, dumpRun);
    for (const block of blocks) {
      placed.push({ ...block, offset });
      offset += block.length;
    }
    objects = {
      count: objects.count + largeObjects.count,
      bytes: objects.bytes + largeObjects.bytes,
      hash: sumOf([objects.hash, largeObjects.hash]),
    };
  }
  return { files, blocks: placed, sha256: hash.digest('hex'), largeObjects: objects };
}
