import type { Failure } from '../failure.ts';
import { damaged } from './archive-head.ts';

/**
 * States of a data location in the table of contents: K_OFFSET_POS_NOT_SET, K_OFFSET_POS_SET and K_OFFSET_NO_DATA in
 * pg_backup_archiver.h.
 */
export const OFFSET_UNKNOWN = 1;
export const OFFSET_SET = 2;
export const NO_DATA = 3;

/** Where an entry of the table of contents locates its data. */
export interface DataLocation {
  /** {@link OFFSET_UNKNOWN}, or {@link OFFSET_SET} with an offset. */
  readonly state: number;
  readonly offset: bigint;
}

/** Where the data of an entry are in the archive, in bytes. */
export interface DataBlock {
  readonly offset: number;
  readonly length: number;
}

/** Structure of a complete archive. */
export interface ArchiveStructure {
  readonly headBytes: number;
  /** Of the head, except the data locations. */
  readonly headCrc32: number;
  /** By ID of the entry, for the entries with data. */
  readonly locations: ReadonlyMap<number, DataLocation>;
  /** By ID of the entry. */
  readonly blocks: ReadonlyMap<number, DataBlock>;
  /** Number of large objects in the blocks. */
  readonly largeObjects: number;
}

/**
 * Checks that an archive has all data of its table of contents, and where that locates them: one that was streamed does
 * not.
 *
 * @throws {Failure} `verificationFailed`
 */
export function checkOffsets({ headBytes, locations, blocks }: ArchiveStructure): void {
  for (const [id, { state, offset }] of locations) {
    const block = blocks.get(id);
    if (block === undefined) {
      throw damaged(`it lacks the data of entry ${id}`, headBytes);
    }
    if (state === OFFSET_SET && offset !== BigInt(block.offset)) {
      throw misplaced(id, headBytes);
    }
  }
}

function misplaced(id: number, headBytes: number): Failure {
  return damaged(`its table of contents does not locate the data of entry ${id}`, headBytes);
}

/**
 * Checks the head that pg_dump rewrites in a complete file to set the offsets of the blocks. It may differ from the
 * proven head only in these, and each must be where the block was seen.
 *
 * @throws {Failure} `verificationFailed`
 */
export function checkFinalHead(proven: ArchiveStructure, final: ArchiveStructure): void {
  if (final.headBytes !== proven.headBytes || final.headCrc32 !== proven.headCrc32) {
    throw damaged('its table of contents differs from the proven one', final.headBytes);
  }
  for (const [id, { state, offset }] of final.locations) {
    const block = proven.blocks.get(id);
    const before = proven.locations.get(id);
    const isCorrect =
      block === undefined
        ? state === before?.state && offset === before.offset
        : state === OFFSET_SET && offset === BigInt(block.offset);
    if (!isCorrect) {
      throw misplaced(id, final.headBytes);
    }
  }
}
