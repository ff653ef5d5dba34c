import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveReader } from '../archive/archive-reader.ts';
import { type ArchiveStructure, checkFinalHead } from '../archive/archive-structure.ts';
import { Failure } from '../failure.ts';
import { checksumsOf, type Segment, Segmenter } from '../s3/checksum.ts';
import { partSize, SMALLEST_PART } from '../s3/part/part-size.ts';
import { type Part, readPart, readRange } from '../s3/part/part.ts';
import { SendBuffers } from '../s3/part/send-buffer.ts';
import type { DumpOptions, DumpRun, PartSink, ProvenDump } from './dump-run.ts';
import { startPgDump } from './pg-dump.ts';
import { prove } from './prove.ts';
import { follow } from './tail.ts';

/**
 * Dumps to a file and proves the dump while the file grows.
 *
 * pg_dump writes the file from the first byte to the last and then sets offsets in the head, so that a restore can
 * seek. So the file is read twice: first while it grows, to prove everything and to compute the checksums of the parts
 * after the first; then when it is complete, for the final head and the SHA-256. The second read also detects bytes
 * that have changed since they were proven.
 *
 * @throws {Failure} if pg_dump failed, or `verificationFailed`
 */
export async function dumpToFile(options: DumpOptions, sink: PartSink, dumpRun: DumpRun): Promise<ProvenDump> {
  const file = join(options.folder, 'dump');
  await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  let head: number | undefined;
  const segmenter = new Segmenter((from) => segmentEnd(from, head, options.estimate));
  const buffers = new SendBuffers();
  const upload = (segment: Segment | undefined) => {
    if (segment !== undefined && segment.from >= firstPartEnd(head)) {
      sink.add(partOf(file, segment, buffers));
    }
  };
  const { output, exit } = startPgDump(options, dumpRun.signal, file);
  output.resume();
  const onChunk = (chunk: Buffer, headBytes: number | undefined) => {
    head = headBytes;
    segmenter.add(chunk).forEach(upload);
  };
  const { structure, census } = await prove(options, { output: follow(file, exit), exit }, onChunk, dumpRun);
  upload(segmenter.close());
  const { final, segments, sha256 } = await readAgain(file, segmenter.segments, dumpRun.signal);
  checkFinalHead(structure, final);
  const end = firstPartEnd(structure.headBytes);
  const last = segments.findLast(({ from }) => from < end);
  return {
    checksums: checksumsOf(segments, sha256),
    census,
    first: partOf(file, { from: 0, to: last?.to ?? 0, crc32: last?.prefixCrc32 ?? 0 }, buffers),
  };
}

/** The first part contains the entire head. */
function firstPartEnd(headBytes = Infinity): number {
  return Math.max(headBytes, SMALLEST_PART);
}

/** The first part has two segments: the head, and the rest, if any. Every other part is one segment. */
function segmentEnd(from: number, headBytes: number | undefined, estimate: number): number {
  if (headBytes === undefined || from < headBytes) {
    return headBytes ?? Infinity;
  }
  const end = firstPartEnd(headBytes);
  return from < end ? end : from + partSize(from, estimate);
}

function partOf(file: string, { from, to, crc32 }: Pick<Segment, 'from' | 'to' | 'crc32'>, buffers: SendBuffers): Part {
  return readPart(
    { bytes: to - from, crc32 },
    buffers,
    (buffer) => readRange(file, from, to, buffer),
    () => Promise.resolve(),
  );
}

interface SecondRead {
  readonly final: ArchiveStructure;
  readonly segments: readonly Segment[];
  readonly sha256: string;
}

/** @throws {Failure} `verificationFailed` if anything but the head differs from the first read */
async function readAgain(file: string, before: readonly Segment[], signal: AbortSignal): Promise<SecondRead> {
  const ends = new Map(before.map(({ from, to }) => [from, to]));
  const segmenter = new Segmenter((from) => ends.get(from) ?? Infinity);
  const reader = new ArchiveReader();
  const hash = createHash('sha256');
  // Reads with a single buffer.
  for await (const chunk of follow(file, Promise.resolve())) {
    signal.throwIfAborted();
    hash.update(chunk);
    reader.read(chunk);
    segmenter.add(chunk);
  }
  segmenter.close();
  const [, ...proven] = before;
  const [, ...found] = segmenter.segments;
  const changed = proven.find(({ to, crc32 }, index) => found[index]?.to !== to || found[index].crc32 !== crc32);
  if (changed !== undefined || found.length !== proven.length) {
    throw new Failure(
      'verificationFailed',
      `The dump file changed on the local disk after it was proven, at or after byte ${changed?.from ?? before.at(-1)?.to}. ` +
        'It was not stored.',
    );
  }
  return { final: reader.end(), segments: segmenter.segments, sha256: hash.digest('hex') };
}
