import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ArchiveReader } from '../../../docker/archive/archive-reader.ts';
import { type ArchiveStructure, checkFinalHead, checkOffsets } from '../../../docker/archive/archive-structure.ts';
import { record, type Recording } from '../support/replay.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
let recording: Recording;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE one AS SELECT i FROM generate_series(1, 100) i',
    'CREATE TABLE "größe" AS SELECT i FROM generate_series(1, 100) i',
    'CREATE VIEW seen AS SELECT * FROM one',
    `SELECT lo_from_bytea(4711, sha256('large')), lo_from_bytea(4712, '')`,
  );
  recording = await record(stage, 'app');
});

afterAll(async () => {
  await stage.tearDown();
});

function structureOf(archive: Buffer): ArchiveStructure {
  const reader = new ArchiveReader();
  reader.read(archive);
  return reader.end();
}

test('an archive has a block for each table and for the large objects, however it is divided into chunks', () => {
  const { final } = recording;
  const whole = structureOf(final);
  expect(whole.blocks.size).toBe(3);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sizes) => {
      const reader = new ArchiveReader();
      // Each chunk overwrites the previous one, as when a file is read.
      const chunk = Buffer.alloc(400);
      for (let at = 0, turn = 0; at < final.length; turn += 1) {
        const size = Math.min(sizes[turn % sizes.length] ?? 1, final.length - at);
        final.copy(chunk, 0, at, at + size);
        reader.read(chunk.subarray(0, size));
        at += size;
      }
      expect(reader.end()).toEqual(whole);
    }),
  );
});

test('an archive that is truncated anywhere is refused', () => {
  const { final } = recording;
  const ends = Array.from({ length: final.length }, (_, end) => end);
  // Except between two blocks, where nothing indicates that another follows.
  const betweenBlocks = [...structureOf(final).blocks.values()].map(({ offset }) => offset);
  const accepted = ends.filter((end) => {
    try {
      structureOf(final.subarray(0, end));
      return true;
    } catch {
      return false;
    }
  });
  expect(accepted).toEqual(betweenBlocks);
});

test('an archive that lacks blocks is refused, whether or not it has offsets', () => {
  for (const archive of [recording.streamed, recording.final]) {
    checkOffsets(structureOf(archive));
    for (const { offset: end } of structureOf(archive).blocks.values()) {
      expect(() => {
        checkOffsets(structureOf(archive.subarray(0, end)));
      }).toThrow('it lacks the data of entry');
    }
  }
});

test.each([
  [
    'not of the custom format',
    (archive: Buffer) => archive.write('PGDUMP'),
    'does not begin with the header of the custom format',
  ],
  ['of a later version of the format', (archive: Buffer) => archive.writeUInt8(17, 6), 'has version 1.17'],
  ['of an earlier version of the format', (archive: Buffer) => archive.writeUInt8(13, 6), 'has version 1.13'],
])('an archive %s is refused', (_, change, message) => {
  const archive = Buffer.from(recording.final);
  change(archive);
  expect(() => structureOf(archive)).toThrow(message);
});

describe('the final head', () => {
  test('may have the offsets of the blocks, unlike the proven head', () => {
    const { streamed, final } = recording;
    expect(final.equals(streamed)).toBe(false);
    checkFinalHead(structureOf(streamed), structureOf(final));
  });

  test('must have all of them', () => {
    const { streamed } = recording;
    expect(() => {
      checkFinalHead(structureOf(streamed), structureOf(streamed));
    }).toThrow('does not locate the data of entry');
  });

  test('must not differ in any byte', () => {
    const { streamed, final, headBytes } = recording;
    const proven = structureOf(streamed);
    for (let at = 0; at < headBytes; at += 1) {
      const changed = Buffer.from(final);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => {
        checkFinalHead(proven, structureOf(changed));
      }).toThrow();
    }
  });
});
