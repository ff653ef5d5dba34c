import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Interrupted } from '../../../docker/failure.ts';
import { type Fault, type FaultyS3, SLOW_DOWN, startFaultyS3 } from '../support/faulty-s3.ts';
import { Player, record } from '../support/replay.ts';
import { keyOf, Stage } from '../support/stage.ts';

let stage: Stage;
let small: Player;
let large: Player;
let largeFile: Buffer;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('small', 'CREATE TABLE t AS SELECT 1');
  // More than two parts of an upload.
  await stage.createDatabase(
    'large',
    'CREATE TABLE noise AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 220000) i',
  );
  small = await Player.make(await record(stage, 'small'));
  const recording = await record(stage, 'large');
  largeFile = recording.final;
  large = await Player.make(recording);
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '2';
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
});

afterAll(async () => {
  jest.restoreAllMocks();
  await Promise.all([small.remove(), large.remove()]);
  await stage.tearDown();
});

let s3: FaultyS3;
let count = 0;

async function faulty(picks: (request: string) => boolean, fault: Fault, times = Infinity): Promise<string> {
  count += 1;
  let left = times;
  s3 = await startFaultyS3(stage.s3.endpoint, (request) => picks(request) && left-- > 0, fault);
  process.env.AWS_ENDPOINT_URL_S3 = s3.endpoint;
  return `faults/${count}`;
}

afterEach(async () => {
  await s3.stop();
  expect(await stage.openUploads()).toBe(0);
});

const THE_WHOLE = (request: string) => /^PUT [^?]*\?x-id=PutObject/.test(request);
const BEGINNING = (request: string) => request.startsWith('POST') && request.includes('uploads');
const FIRST_PART = (request: string) => request.includes('partNumber=1&');
const SECOND_PART = (request: string) => request.includes('partNumber=2&');
const LAST_PART = (request: string) => request.includes('partNumber=3&');
const COMPLETION = (request: string) => request.startsWith('POST') && request.includes('uploadId=');
const ABORTION = (request: string) => request.startsWith('DELETE');

type Call = readonly [string, (request: string) => boolean, () => Player];

const CALLS: readonly Call[] = [
  ['the one request of a small dump', THE_WHOLE, () => small],
  ['the beginning', BEGINNING, () => large],
  ['the first part', FIRST_PART, () => large],
  ['the second part', SECOND_PART, () => large],
  ['the last part', LAST_PART, () => large],
  ['the completion', COMPLETION, () => large],
];

describe.each(CALLS)('S3 that refuses %s', (_, picks, player) => {
  test('once, is asked again', async () => {
    const key = await faulty(picks, SLOW_DOWN, 1);
    expect(await player().play('file', key)).toMatchObject({ outcome: 'committed' });
    await s3.met;
    expect(await stage.hasObject(key)).toBe(true);
  });

  test('for good, gets no dump', async () => {
    const key = await faulty(picks, SLOW_DOWN);
    await expect(player().play('file', key)).rejects.toMatchObject({
      reason: 'tryAgain',
      message: expect.stringContaining('SlowDown'),
    });
    expect(await stage.hasObject(key)).toBe(false);
  });
});

test('an abortion that is refused once is asked for again', async () => {
  const key = await faulty((request) => COMPLETION(request) || ABORTION(request), SLOW_DOWN, 3);
  await expect(large.play('file', key)).rejects.toMatchObject({ reason: 'tryAgain' });
});

describe('a part that S3 gets with a byte changed', () => {
  test.each(CALLS.filter(([, picks]) => picks !== BEGINNING && picks !== COMPLETION))(
    'is sent again: %s',
    async (_, picks, player) => {
      const key = await faulty(picks, 'change', 1);
      const { checksums } = await player().play('file', key);
      await s3.met;
      expect((await readFile(stage.fileOf(key))).length).toBe(checksums.bytes);
    },
  );

  test('again and again is no dump', async () => {
    const key = await faulty(SECOND_PART, 'change');
    await expect(large.play('file', key)).rejects.toMatchObject({ reason: 'tryAgain' });
    expect(await stage.hasObject(key)).toBe(false);
  });
});

describe('a commit whose answer is lost', () => {
  test.each([
    ['in one request', THE_WHOLE, 'small'],
    ['in parts', COMPLETION, 'large'],
  ])('is known for its own: %s', async (_, picks, database) => {
    await faulty(picks, 'lose the answer', 1);
    const { status, stdout } = await stage.dump(database, { environment: { AWS_ENDPOINT_URL_S3: s3.endpoint } });
    expect(status).toBe(0);
    await s3.met;
    expect(stdout).toContain('the answer that said so was lost');
    expect(await stage.manifestOf(keyOf(database))).toMatchObject({
      recovered: false,
      proof: {
        sha256: createHash('sha256')
          .update(await readFile(stage.fileOf(keyOf(database))))
          .digest('hex'),
      },
    });
  });

  test('is not taken for that of another', async () => {
    const key = await faulty(COMPLETION, 'lose the answer', 0);
    await small.play('file', key);
    expect(await large.play('file', key)).toMatchObject({ outcome: 'taken' });
  });
});

describe('a run that is ended', () => {
  test.each(CALLS.slice(1, 5))('during %s leaves nothing', async (_, picks) => {
    const key = await faulty(picks, SLOW_DOWN);
    process.env.AWS_MAX_ATTEMPTS = '100';
    const ending = new AbortController();
    void s3.met.then(() => {
      ending.abort(new Interrupted('SIGTERM'));
    });
    // Without its answer a beginning can't be aborted, so that one is waited for.
    if (picks === BEGINNING) {
      process.env.AWS_MAX_ATTEMPTS = '2';
    }
    await expect(large.play('memory', key, {}, ending.signal)).rejects.toThrow('Ended by SIGTERM');
    process.env.AWS_MAX_ATTEMPTS = '2';
    expect(await stage.hasObject(key)).toBe(false);
  });
});

test('a dump of several parts is what was recorded', async () => {
  const key = await faulty(() => false, SLOW_DOWN);
  const { checksums } = await large.play('file', key);
  expect((await readFile(stage.fileOf(key))).equals(largeFile)).toBe(true);
  expect(checksums.bytes).toBeGreaterThan(2 * 8 * 1024 * 1024);
});
