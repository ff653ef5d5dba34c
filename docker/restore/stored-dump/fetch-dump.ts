import { createWriteStream } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ArchiveStructure } from '../../archive/archive-structure.ts';
import { Failure } from '../../failure.ts';
import { log } from '../../log.ts';
import { withProgress } from '../../progress.ts';
import { readStoredDump, type StoredDump } from './stored-dump.ts';
import { StructureCheck } from './structure-check.ts';
import { readTableOfContents, type TableOfContents } from './table-of-contents.ts';

/**
 * Reads what the dump contains. Its bytes are checked later, with all others of the object.
 *
 * @throws {Failure} `verificationFailed` if it does not begin like a dump
 */
export async function readContents(
  s3: S3Client,
  dump: StoredDump,
  folder: string,
  signal: AbortSignal,
): Promise<TableOfContents> {
  return unlessNotProven(dump, () => readTableOfContents(readStoredDump(s3, dump, signal), join(folder, 'head')));
}

/** @throws {Failure} `verificationFailed` if the dump is not one that was proven */
async function unlessNotProven<T>({ object: { bucket, key } }: StoredDump, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof Failure && cause.reason === 'verificationFailed')) {
      throw cause;
    }
    throw new Failure(
      'verificationFailed',
      `s3://${bucket}/${key} is not an archive that this version of AutoDump can restore, unlike every dump that was ` +
        `proven. Do not rely on this object. ${cause.message}`,
      { cause },
    );
  }
}

/**
 * Reads the whole dump before anything is restored, into the file if there is one.
 *
 * @throws {Failure} `verificationFailed` if it is not the proven dump
 */
export async function fetchAndCheck(
  s3: S3Client,
  dump: StoredDump,
  file: string | undefined,
  signal: AbortSignal,
): Promise<ArchiveStructure> {
  const sink = createWriteStream(file ?? devNull);
  const phase = { name: 'Fetching', done: () => sink.bytesWritten, total: { bytes: dump.bytes, what: 'of the dump' } };
  const structure = new StructureCheck();
  await withProgress(phase, () => pipeline(structure.follow(readStoredDump(s3, dump, signal)), sink));
  const found = await unlessNotProven(dump, () => structure.end());
  const { algorithm, value, sections } = dump.checksum;
  log(
    sections === undefined
      ? `Its ${algorithm} ${value} matches the proven dump.`
      : `The ${algorithm} of each of its ${sections.length} sections matches the proven dump.`,
  );
  return found;
}
