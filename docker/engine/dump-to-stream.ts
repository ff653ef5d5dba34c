import { createHash } from 'node:crypto';
import type { Census } from '../census/census-taker.ts';
import { freeSpace } from '../disk.ts';
import { checksumsOf, type Segment, Segmenter } from '../s3/checksum.ts';
import { partSize } from '../s3/part/part-size.ts';
import type { Part } from '../s3/part/part.ts';
import type { DumpOptions, DumpRun, PartSink, ProvenDump } from './dump-run.ts';
import { startPgDump } from './pg-dump.ts';
import { prove } from './prove.ts';
import { partCapacity, Spool } from './spool.ts';

/**
 * Dumps without a file, when the disk has no room for one. Each part is held, in memory or on disk, until S3 has
 * received it; the first part until the whole dump is proven. Since pg_dump cannot seek back in a stream, the dump has
 * no offsets: it restores equally well, but a parallel restore is slower.
 *
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function dumpToStream(options: DumpOptions, sink: PartSink, dumpRun: DumpRun): Promise<ProvenDump> {
  const spool = new Spool(options.folder);
  let end = 0;
  const segmenter = new Segmenter(() => end);
  const hash = createHash('sha256');
  let first: Part | undefined;
  const upload = async ({ crc32 }: Segment) => {
    const part = await spool.close(crc32);
    if (first === undefined) {
      first = part;
    } else {
      sink.add(part);
      await sink.room();
    }
  };
  const onChunk = async (chunk: Buffer) => {
    hash.update(chunk);
    for (let rest = chunk; rest.length > 0;) {
      if (segmenter.bytes === end) {
        const size = partCapacity(partSize(end, options.estimate), await freeSpace(options.folder));
        await spool.begin(size);
        end += size;
      }
      const piece = rest.subarray(0, end - segmenter.bytes);
      rest = rest.subarray(piece.length);
      const [closed] = segmenter.add(piece);
      await spool.write(piece);
      if (closed !== undefined) {
        await upload(closed);
      }
    }
  };
  const { output, exit } = startPgDump(options, dumpRun.signal);
  let census: Census;
  try {
    ({ census } = await prove(options, { output, exit }, onChunk, dumpRun));
    const last = segmenter.close();
    if (last !== undefined) {
      await upload(last);
    }
  } finally {
    await spool.abandon();
  }
  if (first === undefined) {
    throw new Error('An empty dump was proven.');
  }
  return { checksums: checksumsOf(segmenter.segments, hash.digest('hex')), census, first };
}
