import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pMap from 'p-map';
import { Failure } from '../../../docker/failure.ts';
import { sweep } from '../../support/sweep.ts';
import { runEngineHere } from '../support/engine-here.ts';
import { record, type Recording, Replayer, type ReplayFaults, type ReplayMode } from '../support/replay.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
let recording: Recording;
let replayer: Replayer;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE noise AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 2000) i',
    'CREATE TABLE words AS SELECT i, md5(i::text) AS word FROM generate_series(1, 2000) i',
    'CREATE TABLE empty ()',
    'SELECT lo_from_bytea(4711, sha256(i::text::bytea)) FROM generate_series(1, 1) i',
  );
  recording = await record(stage, 'app');
  replayer = await Replayer.create(recording);
  runEngineHere(stage);
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await replayer.remove();
  await stage.tearDown();
});

/** Reproducible pseudorandom numbers: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly mask: number;
}

/** Places from the first byte to the last: one, at random, in each of `count` equal intervals. */
function places(count: number, from: number, to: number, seed: number): readonly Place[] {
  const below = numbers(seed);
  const step = (to - from) / count;
  return Array.from({ length: count }, (_, index) => ({
    at: Math.floor(from + index * step + below(Math.max(1, Math.floor(step)))),
    bytes: 1 + below(9),
    mask: 1 + below(255),
  }));
}

type Damage = (archive: Buffer, place: Place) => Buffer;

const flipped: Damage = (archive, { at, mask }) => {
  const copy = Buffer.from(archive);
  copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
  return copy;
};
const cutOut: Damage = (archive, { at, bytes }) =>
  Buffer.concat([archive.subarray(0, at), archive.subarray(at + bytes)]);
const cutOff: Damage = (archive, { at }) => archive.subarray(0, at);
const added: Damage = (archive, { at, bytes, mask }) =>
  Buffer.concat([archive.subarray(0, at), Buffer.alloc(bytes, mask), archive.subarray(at)]);

let replays = 0;

/** Replays once for each of the faults. @returns the failures, or the bytes of the objects */
async function replay(mode: ReplayMode, faults: readonly ReplayFaults[]): Promise<readonly (Failure | Buffer)[]> {
  return pMap(
    faults,
    async (fault) => {
      replays += 1;
      const key = `replays/${replays}`;
      try {
        await replayer.replay(mode, key, fault);
        return await readFile(stage.fileOf(key));
      } catch (error) {
        expect(await stage.hasObject(key)).toBe(false);
        if (error instanceof Failure) {
          return error;
        }
        throw error;
      }
    },
    { concurrency: 4 },
  );
}

/** The distinct reasons of failures, and `dump` for an object. */
function outcomes(results: readonly (Failure | Buffer)[]): readonly string[] {
  return [...new Set(results.map((result) => (result instanceof Failure ? result.reason : 'dump')))];
}

describe.each([
  ['through a file', 'file', 1],
  ['streamed, with parts in memory', 'memory', 1],
  ['streamed, with parts on disk', 'disk', 0.2],
] as const)('%s', (_mode, mode, share) => {
  test('S3 stores exactly the output of pg_dump', async () => {
    const [object] = await replay(mode, [{}]);
    expect(object).toEqual(mode === 'file' ? recording.final : recording.streamed);
  });

  test.each([
    ['changed', flipped, 30, 10],
    ['cut out', cutOut, 10, 4],
    ['added', added, 10, 4],
    ['cut off', cutOff, 10, 4],
  ] as const)('output of pg_dump with bytes %s is not stored', async (_, damage, count, size) => {
    const { streamed, headBytes } = recording;
    const swept = sweep(places(count * share, headBytes, streamed.length, 1), size);
    const damaged = swept.map((place) => damage(streamed, place));
    const found = outcomes(
      await replay(
        mode,
        damaged.map((written) => ({ written })),
      ),
    );
    // A length that pg_restore misreads may ask for more memory than there is.
    expect(['verificationFailed', 'tryAgain']).toEqual(expect.arrayContaining([...found]));
  });

  test('output of pg_dump with a byte added at the very end is not stored', async () => {
    const written = Buffer.concat([recording.streamed, Buffer.alloc(1)]);
    expect(outcomes(await replay(mode, [{ written }]))).toEqual(['verificationFailed']);
  });

  test('bytes changed only in the input of pg_restore are not stored', async () => {
    const faults = sweep(places(10, 0, recording.streamed.length, 2), 4).map(({ at }) => ({
      piped: `{ head -c ${at}; head -c 1 > /dev/null; printf x; cat; }`,
    }));
    for (const result of await replay(mode, faults)) {
      expect(result instanceof Failure || result.equals(mode === 'file' ? recording.final : recording.streamed)).toBe(
        true,
      );
    }
  });

  test('nothing is stored if pg_dump is killed', async () => {
    const faults = sweep(places(20 * share, 0, recording.streamed.length, 3), 6).map(({ at }) => ({
      written: recording.streamed.subarray(0, at),
      dumped: 'kill -KILL $$',
    }));
    const results = await replay(mode, faults);
    expect(outcomes(results)).toEqual(['tryAgain']);
    expect(results.map(String).filter((text) => !text.includes('pg_dump was ended by SIGKILL'))).toEqual([]);
  });
});

/** A command that overwrites a byte of the file with another, given in octal. */
const overwriting = ({ at, byte }: { readonly at: number; readonly byte: string }) =>
  `printf '\\${byte}' | dd of="$file" bs=1 seek=${at} conv=notrunc status=none`;

const otherByte = (archive: Buffer, { at, mask }: Place) => (archive.readUInt8(at) ^ mask).toString(8).padStart(3, '0');

describe('a dump file', () => {
  test.each([
    ['changed', 40, 12, overwriting],
    ['cut off', 10, 4, ({ at }: { at: number }) => `truncate -s ${at} "$file"`],
    ['added', 5, 3, ({ at }: { at: number }) => `head -c ${at + 1} /dev/zero >> "$file"`],
  ] as const)('with bytes %s after the proof is not stored', async (_, count, size, damage) => {
    const { final } = recording;
    const faults = sweep(places(count, 0, final.length, 4), size).map((place) => ({
      proven: damage({ at: place.at, byte: otherByte(final, place) }),
    }));
    expect(outcomes(await replay('file', faults))).toEqual(['verificationFailed']);
  });

  test('with a head that changed before it was rewritten is not stored, or is stored as intended', async () => {
    const { streamed, final, headBytes } = recording;
    const faults = sweep(places(20, 0, headBytes, 5), 7).map((place) => ({ written: flipped(streamed, place) }));
    const results = await replay('file', faults);
    expect(results.filter((result) => !(result instanceof Failure) && !result.equals(final))).toHaveLength(0);
  });

  test('with a head that changed after the proof is not stored', async () => {
    const { final, headBytes } = recording;
    const faults = sweep(places(30, 0, headBytes, 6), 10).map((place) => ({
      proven: overwriting({ at: place.at, byte: otherByte(final, place) }),
    }));
    expect(outcomes(await replay('file', faults))).toEqual(['verificationFailed']);
  });
});
