import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ArchiveReader } from '../../archive/archive-reader.ts';
import { type ArchiveStructure, OFFSET_SET } from '../../archive/archive-structure.ts';
import type { Census, TableCensus } from '../../census/census-taker.ts';
import type { LargeObjects } from '../../census/large-object-script.ts';
import { Failure } from '../../failure.ts';
import { run } from '../../process/child.ts';
import type { Section } from '../../s3/checksum.ts';
import type { DumpOptions, DumpRun, ProvenDump } from '../dump-run.ts';
import { verificationFailure } from '../pg-dump-failure.ts';
import type { ArchiveParts } from './archive-parts.ts';
import type { PlacedBlock } from './archive-sections.ts';
import { bytesOf, chunked, LARGEST_CHUNK, type ProvenChunk } from './chunk.ts';
import { customHead, type DataEntry, readToc } from './custom-head.ts';
import { type DumpFolder, tocName } from './data-block.ts';
import { DataFile } from './data-file.ts';

/** The files that pg_dump has written, and the data in them that were proven. */
export interface ProvenData {
  readonly files: readonly string[];
  /** In the order of the archive. */
  readonly blocks: readonly PlacedBlock[];
  /** Together they contain all blocks. */
  readonly sections: readonly Section[];
  readonly largeObjects: LargeObjects;
}

const TOC = 'toc.dat';

/**
 * Completes an archive whose data are proven with its head, which it proves.
 *
 * @throws {Failure} `verificationFailed`
 */
export async function assemble(
  options: DumpOptions,
  folder: DumpFolder,
  proven: ProvenData,
  parts: ArchiveParts,
  dumpRun: DumpRun,
): Promise<ProvenDump> {
  await checkFiles(folder, proven.files);
  const { headBytes, data } = await readToc(join(folder.path, TOC));
  const located = locate(proven.blocks, data, headBytes, folder.clientMajor);
  const path = join(options.folder, 'head');
  await writeFile(path, customHead(join(folder.path, TOC), located), { flag: 'wx', mode: 0o600 });
  const head = await proveHead(options, path, located, headBytes, dumpRun);
  const sections = [{ bytes: headBytes, sha256: head.sha256 }, ...proven.sections];
  return { ...parts.end(head.chunks, sections), census: censusOf(located, proven.largeObjects) };
}

interface LocatedBlock {
  readonly entry: DataEntry;
  readonly block: PlacedBlock;
  /** In the archive. */
  readonly offset: number;
}

function contradiction(problem: string): Failure {
  return new Failure(
    'verificationFailed',
    `The table of contents that pg_dump wrote does not agree with its data: ${problem}. The dump was not stored.`,
  );
}

/** @throws {Failure} `verificationFailed` unless each entry has exactly one block, of its kind, from its file */
function locate(
  blocks: readonly PlacedBlock[],
  data: readonly DataEntry[],
  headBytes: number,
  clientMajor: number,
): readonly LocatedBlock[] {
  const entries = new Map(data.map((entry) => [entry.id, entry]));
  if (entries.size !== data.length || blocks.length !== data.length) {
    throw contradiction(`${data.length} entries have data, and ${blocks.length} were written`);
  }
  return blocks.map((block) => {
    const entry = entries.get(block.id);
    if (entry?.kind !== block.kind || entry.file !== tocName(block, clientMajor)) {
      throw contradiction(`entry ${block.id} is not as expected`);
    }
    entries.delete(block.id);
    return { entry, block, offset: headBytes + block.offset };
  });
}

/** @throws {Failure} `verificationFailed` if there is a file of which nothing is known, or no table of contents */
async function checkFiles({ path }: DumpFolder, files: readonly string[]): Promise<void> {
  const known = new Set([TOC, ...files]);
  const names = await readdir(path);
  if (!names.includes(TOC)) {
    throw contradiction('there is no table of contents');
  }
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw contradiction(`nothing is known of the file ${unknown}`);
  }
}

interface ProvenHead {
  readonly chunks: readonly ProvenChunk[];
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** Has pg_restore read the head, and follows it to the last byte. @throws {Failure} `verificationFailed` */
async function proveHead(
  { client, environment }: DumpOptions,
  path: string,
  located: readonly LocatedBlock[],
  headBytes: number,
  { signal }: DumpRun,
): Promise<ProvenHead> {
  const { size } = await stat(path);
  const reader = new ArchiveReader();
  const hash = createHash('sha256');
  const chunks: ProvenChunk[] = [];
  const buffer = Buffer.allocUnsafeSlow(LARGEST_CHUNK);
  for await (const chunk of chunked(new DataFile(path).ranges(0, 0, () => true))) {
    const bytes = await bytesOf(chunk, buffer);
    hash.update(bytes);
    reader.read(bytes);
    chunks.push({ ...chunk, crc32: crc32(bytes) });
  }
  checkHead(reader.end(), located, headBytes, size);
  const input = createReadStream(path) as AsyncIterable<Buffer>;
  const read = await run(client.pgRestore, ['--schema-only', '--file=/dev/null'], { environment, input, signal });
  if (read.status !== 0) {
    throw verificationFailure(read);
  }
  return { chunks, sha256: hash.digest('hex') };
}

function checkHead(
  { headBytes, locations }: ArchiveStructure,
  located: readonly LocatedBlock[],
  expected: number,
  size: number,
): void {
  const isCorrect =
    headBytes === expected &&
    size === expected &&
    locations.size === located.length &&
    located.every(({ entry: { id }, offset }) => {
      const location = locations.get(id);
      return location?.state === OFFSET_SET && location.offset === BigInt(offset);
    });
  if (!isCorrect) {
    throw contradiction('the head that was made of it does not locate the data');
  }
}

function censusOf(located: readonly LocatedBlock[], largeObjects: LargeObjects): Census {
  const tables = located.flatMap(({ entry, block: { rows, length }, offset }): readonly TableCensus[] =>
    rows === undefined
      ? []
      : [{ oid: entry.oid, schema: entry.schema.toString(), name: entry.name.toString(), ...rows, offset, length }],
  );
  return { tables, largeObjects };
}
