import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ArchiveReader, checkFinalHead, type Structure } from '../../../docker/engine/archive-reader.ts';
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

function structureOf(archive: Buffer): Structure {
  const reader = new ArchiveReader();
  reader.read(archive);
  return reader.end();
}

test('an archive has a block for each table and for the large objects, wherever the chunks of it end', () => {
  const { final } = recording;
  const whole = structureOf(final);
  expect(whole.blocks.size).toBe(3);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sizes) => {
      const reader = new ArchiveReader();
      // As when a file is read, the next chunk overwrites the one before.
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

test('an archive that ends anywhere before its end is not whole', () => {
  const { final } = recording;
  const ends = Array.from({ length: final.length }, (_, end) => end);
  // Between two blocks nothing tells that there is another; pg_restore misses it.
  const betweenBlocks = [...structureOf(final).blocks.values()];
  const taken = ends.filter((end) => {
    try {
      structureOf(final.subarray(0, end));
      return true;
    } catch {
      return false;
    }
  });
  expect(taken).toEqual(betweenBlocks);
});

test.each([
  ['not of the custom format', (archive: Buffer) => archive.write('PGDUMP'), 'does not begin like a dump'],
  ['of a later version of the format', (archive: Buffer) => archive.writeUInt8(17, 6), 'has version 1.17'],
  ['of an earlier version of the format', (archive: Buffer) => archive.writeUInt8(13, 6), 'has version 1.13'],
])('an archive %s is refused', (_, change, told) => {
  const archive = Buffer.from(recording.final);
  change(archive);
  expect(() => structureOf(archive)).toThrow(told);
});

describe('the final head', () => {
  test('may have the offsets of the blocks, which the head before it had not', () => {
    const { streamed, final } = recording;
    expect(final.equals(streamed)).toBe(false);
    checkFinalHead(structureOf(streamed), structureOf(final));
  });

  test('has to have all of them', () => {
    const { streamed } = recording;
    expect(() => {
      checkFinalHead(structureOf(streamed), structureOf(streamed));
    }).toThrow('does not say where the data of its entry');
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
