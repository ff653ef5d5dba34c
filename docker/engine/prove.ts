import { type Child, type Ended, run, start } from '../child.ts';
import { log } from '../log.ts';
import { type Compression, compressOption, type PostgresClient } from '../postgres/clients.ts';
import type { Checksums } from '../s3/checksum.ts';
import type { Part } from '../s3/part.ts';
import type { ArchiveReader, Structure } from './archive-reader.ts';
import { dumpFailure, verificationFailure } from './pg-dump-failure.ts';

/**
 * Longest wait for a lock that another session holds. While pg_dump waits for its own, weak lock, whoever wants a
 * strong one on that table later waits as well; so this bounds how long a dump can hold up the application.
 */
const LOCK_WAIT_MS = 60_000;

/**
 * A server that vanished without a word is noticed after two minutes. Holds no secret, and no database name, which
 * could be taken for more.
 */
const KEEPALIVE = 'keepalives_idle=60 keepalives_interval=10 keepalives_count=6';

export interface DumpOrder {
  readonly client: PostgresClient;
  readonly compression: Compression;
  /** libpq's variables and the rest of what pg_dump sees. */
  readonly environment: NodeJS.ProcessEnv;
  /** For files while the dump is made. */
  readonly folder: string;
  /** Bytes that the dump is expected to have at most. */
  readonly estimate: number;
}

/** Where the parts of a dump go to, but for the first, which is not ready before the end. */
export interface Destination {
  /** Takes a part, to be sent as soon as its turn comes. */
  add(part: Part): void;
  /** Waits until one more part could be sent at once. */
  room(): Promise<void>;
}

/** A dump that is being made: who ends it, and what is heard of it. */
export interface Course {
  readonly signal: AbortSignal;
  /** Ends it. */
  readonly fail: (reason: unknown) => void;
  /** Bytes that were proven so far. */
  proven: number;
  /** Seconds from the start to the end of pg_dump, and to the end of its proof. */
  readonly seconds: { dump: number; proof: number };
}

/** A dump that is proven. */
export interface Proven {
  readonly checksums: Checksums;
  /** The part that commits it. */
  readonly first: Part;
}

/**
 * Starts pg_dump: custom format, without owners.
 *
 * @param file to be written; without one the dump goes to the standard output
 */
export function startDump({ client, compression, environment }: DumpOrder, signal: AbortSignal, file?: string): Child {
  const args = [
    '--format=custom',
    '--no-owner',
    '--no-password',
    // What a crash of this machine leaves of the file is of no use.
    '--no-sync',
    `--lock-wait-timeout=${LOCK_WAIT_MS}`,
    compressOption(compression),
    ...(file === undefined ? [] : [`--file=${file}`]),
    `--dbname=${KEEPALIVE}`,
  ];
  return start(client.pgDump, args, { environment, signal });
}

/**
 * Proves the dump as it comes: pg_restore turns all of it into SQL, and the structure around the data is followed to
 * the last byte. (`pg_restore --list` reads the table of contents alone and would prove next to nothing; and pg_restore
 * looks at nothing behind what it needs.) What nothing can tell is whether pg_dump itself has written what it meant to,
 * where the data have no checksum of their own: those of gzip have one, those of zstd, as pg_dump writes them, do not.
 *
 * @param output what pg_dump writes
 * @param take sees each chunk before pg_restore does
 * @throws {Failure} if pg_dump did not end well, or `verificationFailed`
 */
export async function prove(
  { client, environment }: DumpOrder,
  { output, ended }: { readonly output: AsyncIterable<Buffer>; readonly ended: Promise<Ended> },
  reader: ArchiveReader,
  take: (chunk: Buffer) => Promise<void> | void,
  course: Course,
): Promise<Structure> {
  // It is asked for when all of the output was read; until then its failure shows in the output.
  ended.catch(() => undefined);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  async function* input(): AsyncGenerator<Buffer> {
    for await (const chunk of output) {
      reader.read(chunk);
      await take(chunk);
      yield chunk;
      course.proven += chunk.length;
    }
    const dumped = await ended;
    course.seconds.dump = seconds();
    if (dumped.status !== 0) {
      throw dumpFailure(dumped);
    }
    for (const warning of dumped.complaints) {
      log(warning);
    }
  }
  try {
    const restored = await run(client.pgRestore, ['--file=/dev/null'], {
      environment,
      input: input(),
      signal: course.signal,
    });
    if (restored.status !== 0 || !restored.tookAllInput) {
      throw verificationFailure(restored);
    }
    course.seconds.proof = seconds();
    return reader.end();
  } catch (error) {
    course.fail(error);
    throw course.signal.reason;
  } finally {
    await Promise.allSettled([ended]);
  }
}
