import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freeSpace, StorageFull } from '../disk.ts';
import { log } from '../log.ts';
import { formatBytes, withProgress } from '../progress.ts';
import type { Checksums } from '../s3/checksum.ts';
import type { DumpObject } from '../s3/object.ts';
import { Upload } from '../s3/upload.ts';
import { dumpToFile } from './dump-to-file.ts';
import { dumpToStream } from './dump-to-stream.ts';
import type { Course, DumpOrder } from './prove.ts';

/** How a dump took its way: through a file on the local disk, or without one, and why so. */
export type Way = { readonly way: 'file' } | { readonly way: 'stream'; readonly reason: string };

/** What is known of a dump that this run has made. */
export interface Product {
  readonly outcome: 'committed' | 'taken';
  readonly checksums: Checksums;
  readonly way: Way;
  /** Seconds from the start of pg_dump to its end, to that of the proof, and to the commit. */
  readonly seconds: { readonly dump: number; readonly proof: number; readonly commit: number };
}

/**
 * Dumps, proves and uploads in one go, and commits what is proven. Through a file if the disk seems to have room for
 * it; if not, or if the disk fills up, without one.
 *
 * @throws {Failure} with the reason; then there is no object, and no upload is open
 */
export async function makeDump(
  order: DumpOrder,
  object: DumpObject,
  region: string,
  signal: AbortSignal,
): Promise<Product> {
  const free = await freeSpace(order.folder);
  if (order.estimate >= free) {
    const reason = `the dump can have ${formatBytes(order.estimate)}, and the disk has room for ${formatBytes(free)}`;
    return makeIn({ way: 'stream', reason }, order, object, region, signal);
  }
  try {
    return await makeIn({ way: 'file' }, order, object, region, signal);
  } catch (error) {
    if (!(error instanceof StorageFull)) {
      throw error;
    }
    log(error.message);
    const reason = 'the disk filled up while the dump went to a file';
    return makeIn({ way: 'stream', reason }, order, object, region, signal);
  }
}

async function makeIn(
  way: Way,
  order: DumpOrder,
  object: DumpObject,
  region: string,
  ended: AbortSignal,
): Promise<Product> {
  log(way.way === 'file' ? 'The dump goes through a file.' : `The dump is streamed, without a file: ${way.reason}.`);
  const started = performance.now();
  const abort = new AbortController();
  const fail = (reason: unknown) => {
    abort.abort(reason);
  };
  const signal = AbortSignal.any([ended, abort.signal]);
  const course: Course = { signal, fail, proven: 0, seconds: { dump: 0, proof: 0 } };
  const upload = new Upload(object, region, fail, signal);
  const folder = await mkdtemp(join(order.folder, 'dump-'));
  let outcome: Product['outcome'] | undefined;
  try {
    const { checksums, first } = await withProgress(
      {
        name: 'Dumping and proving',
        done: () => course.proven,
        total: { bytes: order.estimate, what: 'of the most that is expected' },
        beside: () => `, ${formatBytes(upload.bytes)} uploaded`,
      },
      () => (way.way === 'file' ? dumpToFile : dumpToStream)({ ...order, folder }, upload, course),
    );
    outcome = await withProgress(
      { name: 'Uploading', done: () => upload.bytes, total: { bytes: checksums.bytes, what: 'of the dump' } },
      () => upload.commit(first, checksums),
    );
    const commit = (performance.now() - started) / 1000;
    return { outcome, checksums, way, seconds: { ...course.seconds, commit } };
  } catch (error) {
    fail(error);
    throw signal.reason;
  } finally {
    if (outcome !== 'committed') {
      fail(new Error('There is a dump already.'));
      await upload.abort();
    }
    upload.close();
    await rm(folder, { recursive: true, force: true });
  }
}
