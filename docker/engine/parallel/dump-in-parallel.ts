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
import { blockOf, type DataBlockOfFiles, type DumpFolder } from './data-block.ts';
import { FinishedEntries, problemIn } from './finished-entries.ts';
import { proveBlocks } from './prove-blocks.ts';

/**
 * Dumps with several connections. pg_dump can do so only into a folder, with a file for the rows of each table. As soon
 * as one is complete, it becomes a block of an archive of the custom format, without being compressed again; it is
 * proven, uploaded and deleted while others are being written. The head of the archive, with the offsets of all blocks,
 * is made from the folder's table of contents at the end, and is in the first part.
 *
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function dumpInParallel(options: DumpOptions, sink: PartSink, dumpRun: DumpRun): Promise<ProvenDump> {
  const path = join(options.folder, 'data');
  await mkdir(path, { mode: 0o700 });
  const folder = { path, compression: options.compression, clientMajor: options.client.major };
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
  const finished = new FinishedEntries();
  const { output, exit } = startPgDump(options, dumpRun.signal, {
    folder: folder.path,
    onErrorLine: (line) => {
      finished.read(line);
    },
    kept: problemIn,
  });
  output.resume();
  const dumped = exit.finally(() => {
    dumpRun.seconds.dump = seconds();
    finished.end();
  });
  const checked = finished.begun.then(() => dumpRun.onceDefined());
  checked.catch(dumpRun.fail);
  try {
    const proven = await proveBatches(options, folder, parts, finished, dumpRun);
    const end = await dumped;
    if (end.status !== 0) {
      throw dumpFailure(end);
    }
    end.lastLines.forEach(log);
    await checked;
    dumpRun.seconds.proof = seconds();
    return proven;
  } catch (error) {
    dumpRun.fail(error);
    throw dumpRun.signal.reason;
  } finally {
    await Promise.allSettled([dumped, checked]);
  }
}

async function proveBatches(
  options: DumpOptions,
  folder: DumpFolder,
  parts: ArchiveParts,
  finished: FinishedEntries,
  dumpRun: DumpRun,
): Promise<ProvenData> {
  const files: string[] = [];
  const placed: PlacedBlock[] = [];
  const hash = createHash('sha256');
  let objects: LargeObjects = { count: 0, bytes: 0, hash: sumOf([]) };
  for await (const entries of finished.batches()) {
    dumpRun.signal.throwIfAborted();
    const written: DataBlockOfFiles[] = [];
    for (const entry of entries) {
      written.push(await blockOf(entry, folder));
    }
    files.push(...written.flatMap((block) => block.files));
    const { blocks, largeObjects } = await proveBlocks(options, written, (bytes) => hash.update(bytes), dumpRun);
    for (const { id, kind, chunks, length, rows } of blocks) {
      placed.push({ id, kind, length, rows, offset: parts.bytes });
      chunks.forEach((chunk) => {
        parts.add(chunk);
      });
    }
    objects = {
      count: objects.count + largeObjects.count,
      bytes: objects.bytes + largeObjects.bytes,
      hash: sumOf([objects.hash, largeObjects.hash]),
    };
  }
  return { files, blocks: placed, sha256: hash.digest('hex'), largeObjects: objects };
}
