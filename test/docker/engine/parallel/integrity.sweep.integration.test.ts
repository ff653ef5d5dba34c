import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pMap from 'p-map';
import { Failure } from '../../../../docker/failure.ts';
import { sweep } from '../../../support/sweep.ts';
import { contentsOf } from '../../support/contents.ts';
import {
  type DirectoryFaults,
  type DirectoryRecording,
  recordDirectory,
  replayDirectory,
} from '../../support/directory-replay.ts';
import { runEngineHere } from '../../support/engine-here.ts';
import { Stage } from '../../support/stage.ts';

let stage: Stage;
let recording: DirectoryRecording;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE noise AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 2000) i',
    'CREATE TABLE words AS SELECT i, md5(i::text) AS word FROM generate_series(1, 2000) i',
    'CREATE TABLE empty ()',
    'SELECT lo_from_bytea(4711, sha256(i::text::bytea)) FROM generate_series(1, 1) i',
    `SELECT lo_from_bytea(4712, '')`,
  );
  recording = await recordDirectory(stage, 'app');
  runEngineHere(stage);
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await stage.tearDown();
});

let replays = 0;

/** @returns the reason of the failure, or `dump` if there is one */
async function outcome(files: DirectoryRecording['files'], faults?: DirectoryFaults, messages = recording.messages) {
  replays += 1;
  const key = `replays/${replays}`;
  try {
    await replayDirectory(stage, key, { ...recording, files, messages }, faults);
    return 'dump';
  } catch (error) {
    expect(await stage.hasObject(key)).toBe(false);
    if (error instanceof Failure) {
      return error.reason;
    }
    throw error;
  }
}

function withFile(name: string, bytes: Buffer): DirectoryRecording['files'] {
  return new Map([...recording.files, [name, bytes]]);
}

const flipped = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << (at % 8)), at);
  return copy;
};
const cutOut = (bytes: Buffer, at: number) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (at % 9))]);
const cutOff = (bytes: Buffer, at: number) => bytes.subarray(0, at);
const added = (bytes: Buffer, at: number) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + (at % 9), at), bytes.subarray(at)]);

/** Two bytes of the header of gzip, about the level and the system, are not taken over. */
const IRRELEVANT: ReadonlySet<number> = new Set([8, 9]);

/** Of compressed data of no bytes, most bits mean nothing. */
const EMPTY_BYTES = 20;

/** Evenly from the first byte to the last. */
function places(count: number, bytes: number): readonly number[] {
  return [...new Set(Array.from({ length: count }, (_, index) => Math.floor((index * (bytes - 1)) / (count - 1))))];
}

/** Of places, the first and the last, and a sweep of those between. */
function swept(all: readonly number[], between: number): readonly number[] {
  return [...all.slice(0, 1), ...sweep(all.slice(1, -1), between), ...all.slice(-1)];
}

test('a dump of what pg_dump wrote is restored, and equal', async () => {
  await replayDirectory(stage, 'replays/whole', recording);
  await stage.restore('replays/whole', 'restored');
  expect(await contentsOf(stage, 'restored')).toEqual(await contentsOf(stage, 'app'));
});

describe('no dump is stored if bytes of data', () => {
  test.each([
    ['were changed', flipped, 20, 3],
    ['are missing', cutOut, 8, 1],
    ['are missing at the end', cutOff, 8, 1],
    ['were added', added, 8, 1],
  ] as const)('%s', async (_, damage, count, between) => {
    const data = [...recording.files].filter(([name]) => name !== 'toc.dat');
    const damageable = data.map(([name, bytes]) => {
      const isDamaged = (at: number) => damage !== flipped || !(IRRELEVANT.has(at) || bytes.length === EMPTY_BYTES);
      return { name, bytes, all: places(count, bytes.length).filter(isDamaged) };
    });
    expect(damageable.flatMap(({ all }) => all).length).toBeGreaterThan(4 * count);
    const damaged = damageable.flatMap(({ name, bytes, all }) =>
      swept(all, between).map((at) => ({ name, at, of: bytes.length, files: withFile(name, damage(bytes, at)) })),
    );
    const stored = await pMap(damaged, async ({ files, ...place }) => ({ ...place, outcome: await outcome(files) }), {
      concurrency: 4,
    });
    expect(stored.filter((each) => each.outcome !== 'verificationFailed')).toEqual([]);
  });

  test('follow the end of a file', async () => {
    const data = [...recording.files].filter(([name]) => name !== 'toc.dat');
    const further = [Buffer.from('x'), Buffer.alloc(1), Buffer.alloc(9)];
    const files = data.flatMap(([name, bytes]) => further.map((more) => withFile(name, Buffer.concat([bytes, more]))));
    const outcomes = await pMap(sweep(files, 8), (each) => outcome(each), { concurrency: 4 });
    expect([...new Set(outcomes)]).toEqual(['verificationFailed']);
  });
});

test('no dump is stored if the table of contents is truncated, or something follows it', async () => {
  const toc = recording.files.get('toc.dat') ?? Buffer.alloc(0);
  const damaged = [
    ...swept(places(20, toc.length), 6).map((at) => cutOff(toc, at)),
    Buffer.concat([toc, Buffer.alloc(1)]),
  ];
  const outcomes = await pMap(damaged, (bytes) => outcome(withFile('toc.dat', bytes)), { concurrency: 4 });
  expect([...new Set(outcomes)]).toEqual(['verificationFailed']);
});

describe('no dump is stored if', () => {
  const without = (text: RegExp) => recording.messages.replace(text, '');

  test('a file is missing', async () => {
    for (const name of recording.files.keys()) {
      const files = new Map([...recording.files].filter(([other]) => other !== name));
      expect([name, await outcome(files)]).toEqual([name, 'verificationFailed']);
    }
  });

  test('there is a file that nothing is known of', async () => {
    expect(await outcome(withFile('4711.dat.gz', Buffer.from('x')))).toBe('verificationFailed');
  });

  test('pg_dump did not say of a table, or of the large objects, that it is finished', async () => {
    expect(await outcome(recording.files, {}, without(/^.*finished item \d+ TABLE DATA words\n/m))).toBe(
      'verificationFailed',
    );
    expect(await outcome(recording.files, {}, without(/^.*finished item \d+ BLOBS .*\n/m))).toBe('verificationFailed');
  });

  test('pg_dump said something of another table', async () => {
    const messages = `${recording.messages}pg_dump: finished item 4711 TABLE DATA x\n`;
    expect(await outcome(recording.files, {}, messages)).toBe('verificationFailed');
  });

  test('pg_dump said twice that a table is finished', async () => {
    const [line = ''] = /^.*finished item \d+ TABLE DATA words\n/m.exec(recording.messages) ?? [];
    expect(line).not.toBe('');
    expect(await outcome(recording.files, {}, recording.messages + line)).toBe('verificationFailed');
  });

  test('two tables had each other’s files', async () => {
    const [one, other] = [...recording.files.keys()].filter((name) => /^\d+\.dat/.test(name));
    const files = new Map(recording.files);
    files.set(one ?? '', recording.files.get(other ?? '') ?? Buffer.alloc(0));
    files.delete(other ?? '');
    expect(await outcome(files)).toBe('verificationFailed');
  });

  test('pg_dump failed or was killed after all files were written', async () => {
    expect(await outcome(recording.files, { dumped: 'kill -KILL $$' })).toBe('tryAgain');
    const failed = "echo 'pg_dump: error: x' >&2; exit 1";
    expect(await outcome(recording.files, { dumped: failed })).toBe('refused');
  });

  test('a file changed after it was proven', async () => {
    const data = [...recording.files].filter(([name, bytes]) => name.endsWith('.gz') && bytes.length > 100);
    for (const [name, bytes] of data) {
      const at = Math.floor(bytes.length / 2);
      const byte = (bytes.readUInt8(at) ^ 1).toString(8).padStart(3, '0');
      const proven = `printf '\\${byte}' | dd of=${name} bs=1 seek=${at} conv=notrunc status=none`;
      expect([name, await outcome(recording.files, { proven })]).not.toEqual([name, 'dump']);
      expect([name, await outcome(recording.files, { proven: `truncate -s ${at} ${name}` })]).toEqual([
        name,
        'verificationFailed',
      ]);
    }
  });
});
