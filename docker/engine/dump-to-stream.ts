import { createHash } from 'node:crypto';
import { freeSpace } from '../disk.ts';
import { checksumsOf, Cuts, type Segment } from '../s3/checksum.ts';
import { partSize } from '../s3/part-size.ts';
import type { Part } from '../s3/part.ts';
import { ArchiveReader } from './archive-reader.ts';
import { type Course, type Destination, type DumpOrder, prove, type Proven, startDump } from './prove.ts';
import { holdable, Spool } from './spool.ts';

/**
 * Dumps without a file, for a dump that the disk has no room for. A part is held, in memory or on disk, until it has
 * arrived; the first one until the whole dump is proven. As pg_dump can't go back in what it has sent, the dump has no
 * offsets: it restores as well, but in parallel it takes longer.
 *
 * @throws {Failure} if pg_dump did not end well, or `verificationFailed`
 */
export async function dumpToStream(order: DumpOrder, destination: Destination, course: Course): Promise<Proven> {
  const spool = new Spool(order.folder);
  let end = 0;
  const cuts = new Cuts(() => end);
  const hash = createHash('sha256');
  let first: Part | undefined;
  const give = async ({ crc }: Segment) => {
    const part = await spool.close(crc);
    if (first === undefined) {
      first = part;
    } else {
      destination.add(part);
      await destination.room();
    }
  };
  const take = async (chunk: Buffer) => {
    hash.update(chunk);
    for (let rest = chunk; rest.length > 0;) {
      if (cuts.bytes === end) {
        const size = holdable(partSize(end, order.estimate), await freeSpace(order.folder));
        await spool.begin(size);
        end += size;
      }
      const piece = rest.subarray(0, end - cuts.bytes);
      rest = rest.subarray(piece.length);
      const [closed] = cuts.cut(piece);
      await spool.write(piece);
      if (closed !== undefined) {
        await give(closed);
      }
    }
  };
  const { output, ended } = startDump(order, course.signal);
  try {
    await prove(order, { output, ended }, new ArchiveReader(), take, course);
    const last = cuts.close();
    if (last !== undefined) {
      await give(last);
    }
  } finally {
    await spool.abandon();
  }
  if (first === undefined) {
    throw new Error('A dump without bytes was proven.');
  }
  return { checksums: checksumsOf(cuts.segments, hash.digest('hex')), first };
}
