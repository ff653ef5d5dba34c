import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freeSpace } from '../../disk.ts';
import { log } from '../../log.ts';
import type { DumpOptions, DumpRun, PartSink, ProvenDump } from '../dump-run.ts';
import { dumpFailure } from '../pg-dump-failure.ts';
import { startPgDump } from '../pg-dump.ts';
import { ArchiveParts } from './archive-parts.ts';
import { ArchiveSections } from './archive-sections.ts';
import { assemble, type ProvenData } from './assemble.ts';
import { holdBack } from './backpressure/hold-back.ts';
import type { DumpFolder } from './data-block.ts';
import { EntryProver } from './prove-entries.ts';
import { problemIn, WrittenEntries } from './written-entries.ts';

/**
 * Dumps with several connections. pg_dump can do so only into a folder, with a file for the rows of each table. These
 * become blocks of an archive of the custom format, without being compressed again. All are proven while others are
 * being written, and large ones while they are being written themselves; one after another, they are uploaded and
 * deleted. The head of the archive, with the offsets of all blocks, is made from the folder's table of contents at the
 * end, and is in the first part.
 *
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function dumpInParallel(options: DumpOptions, sink: PartSink, dumpRun: DumpRun): Promise<ProvenDump> {
  const path = join(options.folder, 'data');
  await mkdir(path, { mode: 0o700 });
  const folder = { path, compression: options.compression, clientMajor: options.client.major };
  const free = await freeSpace(path);
  const parts = new ArchiveParts(sink, options.estimate, free);
  const sections = new ArchiveSections(parts);
  const entries = new WrittenEntries(folder);
  const proof = () => new EntryProver(options, folder, sections, dumpRun).proveAll(entries);
  const whileRunning = async (pid: number) => {
    if (options.estimate >= free) {
      const progress = () => ({ sentTable: sections.growing, proven: dumpRun.proven, isSent: sink.isIdle });
      const ended = AbortSignal.any([entries.ended, dumpRun.signal]);
      await holdBack({ pid, folder, freeAtStart: free, progress }, ended);
    }
  };
  const proven = await dumpAndProve(options, folder, entries, { proof, whileRunning }, dumpRun);
  return assemble(options, folder, proven, parts, dumpRun);
}

interface Concurrently {
  readonly proof: () => Promise<ProvenData>;
  /** Called with the process ID of pg_dump. Settles when that has ended. */
  readonly whileRunning: (pid: number) => Promise<void>;
}

async function dumpAndProve(
  options: DumpOptions,
  folder: DumpFolder,
  entries: WrittenEntries,
  { proof, whileRunning }: Concurrently,
  dumpRun: DumpRun,
): Promise<ProvenData> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const { pid, output, exit } = startPgDump(options, dumpRun.signal, {
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
  const watched = pid === undefined ? undefined : whileRunning(pid).catch(dumpRun.fail);
  try {
    const proven = await proof();
    await Promise.all([dumped, checked]);
    dumpRun.seconds.proof = seconds();
    return proven;
  } catch (error) {
    dumpRun.fail(error);
    throw dumpRun.signal.reason;
  } finally {
    await Promise.allSettled([ended, checked, watched]);
  }
}
