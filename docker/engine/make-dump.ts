import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Census } from '../census/census-taker.ts';
import { freeSpace, isNoSpace, StorageFull } from '../disk.ts';
import { log } from '../log.ts';
import { type Compression, compressionFor, type CompressionMethod } from '../postgres/clients.ts';
import { formatBytes, withProgress } from '../progress.ts';
import type { Checksums } from '../s3/checksum.ts';
import { commit } from '../s3/commit.ts';
import type { DumpObject } from '../s3/object.ts';
import { Transfer } from '../s3/transfer.ts';
import type { DumpOptions, DumpRun } from './dump-run.ts';
import { dumpToFile } from './dump-to-file.ts';
import { dumpToStream } from './dump-to-stream.ts';
import { canListWorkers } from './parallel/backpressure/workers.ts';
import { dumpInParallel } from './parallel/dump-in-parallel.ts';

/**
 * Whether the dump went through a file on the local disk, through several that as many connections wrote at the same
 * time, or was streamed, and why it was streamed.
 */
export type DumpMode =
  | { readonly mode: 'file' }
  | { readonly mode: 'parallel'; readonly jobs: number }
  | { readonly mode: 'stream'; readonly reason: string };

/** Free disk space needed for each of several connections, in bytes, if the dump may be larger than the disk. */
const FREE_PER_CONNECTION = 32 * 1024 * 1024;

/** Large objects go up after all tables, so they may occupy this fraction of such a disk. */
const LARGE_OBJECTS_FRACTION = 4;

/** Whether several connections can wait for each other instead of filling the disk. */
async function canWait({ jobs, largeObjectBytes }: MakeOptions, free: number): Promise<boolean> {
  return (
    free >= jobs * FREE_PER_CONNECTION && largeObjectBytes <= free / LARGE_OBJECTS_FRACTION && (await canListWorkers())
  );
}

export interface MakeOptions extends Omit<DumpOptions, 'compression'> {
  /** How pg_dump compresses depends on how it dumps. */
  readonly compressionMethod: CompressionMethod;
  /** Bytes of large objects on the server's disk. */
  readonly largeObjectBytes: number;
}

const DUMPS = { file: dumpToFile, parallel: dumpInParallel, stream: dumpToStream } as const;

/** Result of a dump that this run has made. */
export interface DumpResult {
  readonly outcome: 'committed' | 'taken';
  readonly checksums: Checksums;
  readonly census: Census;
  readonly mode: DumpMode;
  readonly compression: Compression;
  /** Seconds from the start of pg_dump to its end, to the end of the proof, and to the commit. */
  readonly seconds: { readonly dump: number; readonly proof: number; readonly commit: number };
}

/**
 * Dumps, proves and uploads concurrently, and commits the proven dump. Goes through a file if the disk appears to have
 * room for it, or through several with as many connections, which wait for each other if the dump may be larger than
 * the disk; otherwise, or if the disk is full, it streams.
 *
 * @param signal ends the run
 * @throws {Failure} if the dump failed; then there is neither an object nor an open upload
 */
export async function makeDump(
  options: MakeOptions,
  s3: S3Client,
  object: DumpObject,
  signal: AbortSignal,
): Promise<DumpResult> {
  const free = await freeSpace(options.folder);
  const { jobs } = options;
  const hasRoom = options.estimate < free;
  const isParallel = jobs > 1 && (hasRoom || (await canWait(options, free)));
  if (!hasRoom && !isParallel) {
    const reason = `the dump may take ${formatBytes(options.estimate)}, and the disk has only ${formatBytes(free)} free`;
    return makeDumpIn({ mode: 'stream', reason }, options, s3, object, signal);
  }
  try {
    const mode = isParallel ? ({ mode: 'parallel', jobs } as const) : ({ mode: 'file' } as const);
    return await makeDumpIn(mode, options, s3, object, signal);
  } catch (error) {
    if (!(error instanceof StorageFull || isNoSpace(error))) {
      throw error;
    }
    log(error.message);
    const reason = 'the disk filled up while the dump was written to it';
    return makeDumpIn({ mode: 'stream', reason }, options, s3, object, signal);
  }
}

function describe(mode: DumpMode): string {
  switch (mode.mode) {
    case 'file':
      return 'The dump goes through a file.';
    case 'parallel':
      return `The dump goes through files that ${mode.jobs} connections write at the same time.`;
    case 'stream':
      return `The dump is streamed, without a file: ${mode.reason}.`;
  }
}

async function makeDumpIn(
  mode: DumpMode,
  options: MakeOptions,
  s3: S3Client,
  object: DumpObject,
  runSignal: AbortSignal,
): Promise<DumpResult> {
  log(describe(mode));
  const abort = new AbortController();
  const fail = (reason: unknown) => {
    abort.abort(reason);
  };
  const signal = AbortSignal.any([runSignal, abort.signal]);
  const onceDefined = await options.beforeDump(signal);
  const dumpRun: DumpRun = { signal, fail, onceDefined, proven: 0, seconds: { dump: 0, proof: 0 } };
  const target = { s3, object, job: options.job, signal };
  const transfer = new Transfer(target, fail);
  const folder = await mkdtemp(join(options.folder, 'dump-'));
  const compression = compressionFor(options.compressionMethod, mode.mode === 'parallel' ? 'several' : 'one');
  const started = performance.now();
  let outcome: DumpResult['outcome'] | undefined;
  try {
    const { checksums, census, first } = await withProgress(
      {
        name: 'Dumping and proving',
        done: () => dumpRun.proven,
        total: { bytes: options.estimate, what: 'of the upper estimate' },
        beside: () => `, ${formatBytes(transfer.bytes)} uploaded`,
      },
      () => DUMPS[mode.mode]({ ...options, folder, compression }, transfer, dumpRun),
    );
    outcome = await withProgress(
      { name: 'Uploading', done: () => transfer.bytes, total: { bytes: checksums.bytes, what: 'of the dump' } },
      () => commit(target, transfer, first, checksums),
    );
    const seconds = { ...dumpRun.seconds, commit: (performance.now() - started) / 1000 };
    return { outcome, checksums, census, mode, compression, seconds };
  } catch (error) {
    fail(error);
    throw signal.reason;
  } finally {
    if (outcome !== 'committed') {
      fail(new Error('The dump already exists.'));
      await transfer.abort();
    }
    await rm(folder, { recursive: true, force: true });
  }
}
