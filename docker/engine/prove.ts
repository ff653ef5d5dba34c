import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveReader } from '../archive/archive-reader.ts';
import type { ArchiveStructure } from '../archive/archive-structure.ts';
import { type Census, CensusTaker } from '../census/census-taker.ts';
import { log } from '../log.ts';
import type { ChildExit } from '../process/child.ts';
import type { DumpOptions, DumpRun } from './dump-run.ts';
import { dumpFailure, verificationFailure } from './pg-dump-failure.ts';
import { runReading } from './run-reading.ts';

interface PgDumpOutput {
  /** The dump. */
  readonly output: AsyncIterable<Buffer>;
  /** Of pg_dump. */
  readonly exit: Promise<ChildExit>;
}

/** A dump that was read back. */
interface Proof {
  readonly structure: ArchiveStructure;
  readonly census: Census;
}

/**
 * Proves a dump while pg_dump writes it: pg_restore reads the table of contents and converts all data to SQL, in which
 * rows and large objects are counted, and the archive's structure is followed to the last byte. (`pg_restore --list`
 * reads only the table of contents and would prove next to nothing, and pg_restore ignores bytes after those it needs.)
 * What this cannot detect is pg_dump itself writing wrong data without a checksum: gzip data have one, zstd data as
 * pg_dump writes them do not.
 *
 * The table of contents, with all definitions, comes before any data.
 *
 * @param onChunk called with each chunk before pg_restore gets it, and the length of the archive's head, if it is known
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function prove(
  { client, environment, folder }: DumpOptions,
  { output, exit }: PgDumpOutput,
  onChunk: (chunk: Buffer, headBytes: number | undefined) => Promise<void> | void,
  dumpRun: DumpRun,
): Promise<Proof> {
  // Awaited after the output ends. Until then a failure also shows in the output.
  exit.catch(() => undefined);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const taker = new CensusTaker();
  const reader = new ArchiveReader((entry) => {
    taker.expect(entry);
  });
  const list = join(folder, 'data-entries');
  let isListed = false;
  async function* input(): AsyncGenerator<Buffer> {
    for await (const chunk of output) {
      reader.read(chunk);
      if (!isListed && reader.headBytes !== undefined) {
        // pg_restore opens the list only after the whole head, the end of which it has not got yet.
        await writeFile(list, taker.entries);
        isListed = true;
        await dumpRun.onceDefined();
      }
      await onChunk(chunk, reader.headBytes);
      yield chunk;
      dumpRun.proven += chunk.length;
    }
    const dumped = await exit;
    dumpRun.seconds.dump = seconds();
    if (dumped.status !== 0) {
      throw dumpFailure(dumped);
    }
    for (const warning of dumped.lastLines) {
      log(warning);
    }
  }
  try {
    const restored = await runReading(client.pgRestore, [`--use-list=${list}`, '--file=-'], {
      environment,
      input: input(),
      signal: dumpRun.signal,
      folder,
      buffer: taker.buffer,
      onOutput: (piece) => {
        taker.read(piece);
      },
    });
    if (restored.status !== 0 || !restored.tookAllInput) {
      throw verificationFailure(restored);
    }
    dumpRun.seconds.proof = seconds();
    const structure = reader.end();
    return { structure, census: taker.end(structure) };
  } catch (error) {
    dumpRun.fail(error);
    throw dumpRun.signal.reason;
  } finally {
    await Promise.allSettled([exit]);
  }
}
