import type { ArchiveReader } from '../archive/archive-reader.ts';
import type { ArchiveStructure } from '../archive/archive-structure.ts';
import { type ChildExit, run } from '../child.ts';
import { log } from '../log.ts';
import type { DumpOptions, DumpRun } from './dump-run.ts';
import { dumpFailure, verificationFailure } from './pg-dump-failure.ts';

interface PgDumpOutput {
  /** The dump. */
  readonly output: AsyncIterable<Buffer>;
  /** Of pg_dump. */
  readonly exit: Promise<ChildExit>;
}

/**
 * Proves a dump while pg_dump writes it: pg_restore converts all of it to SQL, and the archive's structure is followed to
 * the last byte. (`pg_restore --list` reads only the table of contents and would prove next to nothing, and pg_restore
 * ignores bytes after those it needs.) What this cannot detect is pg_dump itself writing wrong data without a checksum:
 * gzip data have one, zstd data as pg_dump writes them do not.
 *
 * The table of contents, with all definitions, comes before any data.
 *
 * @param onChunk called with each chunk before pg_restore gets it
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function prove(
  { client, environment, onceDefined }: DumpOptions,
  { output, exit }: PgDumpOutput,
  reader: ArchiveReader,
  onChunk: (chunk: Buffer) => Promise<void> | void,
  dumpRun: DumpRun,
): Promise<ArchiveStructure> {
  // Awaited after the output ends. Until then a failure also shows in the output.
  exit.catch(() => undefined);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let isDefined = false;
  async function* input(): AsyncGenerator<Buffer> {
    for await (const chunk of output) {
      reader.read(chunk);
      if (!isDefined && reader.headBytes !== undefined) {
        isDefined = true;
        await onceDefined();
      }
      await onChunk(chunk);
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
    const restored = await run(client.pgRestore, ['--file=/dev/null'], {
      environment,
      input: input(),
      signal: dumpRun.signal,
    });
    if (restored.status !== 0 || !restored.tookAllInput) {
      throw verificationFailure(restored);
    }
    dumpRun.seconds.proof = seconds();
    return reader.end();
  } catch (error) {
    dumpRun.fail(error);
    throw dumpRun.signal.reason;
  } finally {
    await Promise.allSettled([exit]);
  }
}
