import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { checksumsOf, combined, Cuts, type Segment } from '../s3/checksum.ts';
import { partSize, SMALLEST_PART } from '../s3/part-size.ts';
import { type Part, readRange } from '../s3/part.ts';
import { ArchiveReader, checkFinalHead, type Structure } from './archive-reader.ts';
import { type Course, type Destination, type DumpOrder, prove, type Proven, startDump } from './prove.ts';
import { follow } from './tail.ts';

/**
 * Dumps to a file, and proves the dump while the file grows.
 *
 * pg_dump writes the file from its first byte to its last, and then sets offsets in the head, so that a restore can
 * seek. So the file is read twice: while it grows, when everything is proven and the parts behind the first get the
 * checksums that they are sent with; and when it is complete, for the final head and the SHA-256. The second reading
 * also finds what has changed after it was proven.
 *
 * @throws {Failure} if pg_dump did not end well, or `verificationFailed`
 */
export async function dumpToFile(order: DumpOrder, destination: Destination, course: Course): Promise<Proven> {
  const file = join(order.folder, 'dump');
  await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  const reader = new ArchiveReader();
  const cuts = new Cuts((from) => segmentEnd(from, reader.headBytes, order.estimate));
  const give = (segment: Segment | undefined) => {
    if (segment !== undefined && segment.from >= firstPartEnd(reader.headBytes)) {
      destination.add(partOf(file, [segment]));
    }
  };
  const { output, ended } = startDump(order, course.signal, file);
  output.resume();
  const take = (chunk: Buffer) => {
    cuts.cut(chunk).forEach(give);
  };
  const proven = await prove(order, { output: follow(file, ended), ended }, reader, take, course);
  give(cuts.close());
  const { final, segments, sha256 } = await readAgain(file, cuts.segments, course.signal);
  checkFinalHead(proven, final);
  const first = segments.filter(({ from }) => from < firstPartEnd(proven.headBytes));
  return { checksums: checksumsOf(segments, sha256), first: partOf(file, first) };
}

/** The first part has all of the head. */
function firstPartEnd(headBytes = Infinity): number {
  return Math.max(headBytes, SMALLEST_PART);
}

/** The head is a segment for itself; with the next one, if there is one up to its end, it makes the first part. */
function segmentEnd(from: number, headBytes: number | undefined, estimate: number): number {
  if (headBytes === undefined || from < headBytes) {
    return headBytes ?? Infinity;
  }
  const end = firstPartEnd(headBytes);
  return from < end ? end : from + partSize(from, estimate);
}

function partOf(file: string, segments: readonly Segment[]): Part {
  const from = segments[0]?.from ?? 0;
  const to = segments.at(-1)?.to ?? 0;
  return {
    bytes: to - from,
    crc: combined(segments),
    open: () => readRange(file, from, to),
    discard: () => Promise.resolve(),
  };
}

interface SecondReading {
  readonly final: Structure;
  readonly segments: readonly Segment[];
  readonly sha256: string;
}

/** @throws {Failure} `verificationFailed` if anything but the head differs from the first reading */
async function readAgain(file: string, before: readonly Segment[], signal: AbortSignal): Promise<SecondReading> {
  const ends = new Map(before.map(({ from, to }) => [from, to]));
  const cuts = new Cuts((from) => ends.get(from) ?? Infinity);
  const reader = new ArchiveReader();
  const hash = createHash('sha256');
  // Its reader makes do with one buffer.
  for await (const chunk of follow(file, Promise.resolve())) {
    signal.throwIfAborted();
    hash.update(chunk);
    reader.read(chunk);
    cuts.cut(chunk);
  }
  cuts.close();
  const [, ...proven] = before;
  const [, ...found] = cuts.segments;
  const changed = proven.find(({ to, crc }, index) => found[index]?.to !== to || found[index].crc !== crc);
  if (changed !== undefined || found.length !== proven.length) {
    throw new Failure(
      'verificationFailed',
      `The file of the dump changed on the local disk after it was proven, from byte ${changed?.from ?? before.at(-1)?.to} on. ` +
        'There is no object.',
    );
  }
  return { final: reader.end(), segments: cuts.segments, sha256: hash.digest('hex') };
}
