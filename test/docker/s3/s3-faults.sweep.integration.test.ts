import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Interrupted } from '../../../docker/failure.ts';
import { sweep } from '../../support/sweep.ts';
import {
  ANOTHER_BUCKET,
  CONFIRMED,
  EMPTY_OK,
  type Fault,
  type FaultyS3,
  GARBAGE,
  LOGIN_PAGE,
  type Selector,
  SLOW_DOWN,
  startFaultyS3,
} from '../support/faulty-s3.ts';
import { noise } from '../support/noise.ts';
import { record, Replayer } from '../support/replay.ts';
import { keyOf, Stage } from '../support/stage.ts';

let stage: Stage;
let small: Replayer;
let large: Replayer;
let largeFile: Buffer;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('small', 'CREATE TABLE t AS SELECT 1');
  // More than two parts.
  await stage.createDatabase('large', noise(2600));
  small = await Replayer.create(await record(stage, 'small'));
  const recording = await record(stage, 'large');
  largeFile = recording.final;
  large = await Replayer.create(recording);
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

/** Starts a faulty S3. @returns a key that no other test uses */
async function faulty(isSelected: Selector, fault: Fault, times = Infinity): Promise<string> {
  count += 1;
  let left = times;
  s3 = await startFaultyS3(stage.s3.endpoint, (request) => isSelected(request) && left-- > 0, fault);
  process.env.AWS_ENDPOINT_URL_S3 = s3.endpoint;
  return `faults/${count}`;
}

afterEach(async () => {
  await s3.stop();
  expect(await stage.openUploads()).toBe(0);
});

async function sha256Of(key: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(stage.fileOf(key)))
    .digest('hex');
}

const PUT_OBJECT = (request: string) => /^PUT [^?]*\?x-id=PutObject/.test(request);
const CREATE_UPLOAD = (request: string) => request.startsWith('POST') && request.includes('uploads');
const FIRST_PART = (request: string) => request.includes('partNumber=1&');
const SECOND_PART = (request: string) => request.includes('partNumber=2&');
const LAST_PART = (request: string) => request.includes('partNumber=3&');
const COMPLETE_UPLOAD = (request: string) => request.startsWith('POST') && request.includes('uploadId=');
const ABORT_UPLOAD = (request: string) => request.startsWith('DELETE');

type Operation = readonly [string, Selector, () => Replayer];

const OPERATIONS: readonly Operation[] = [
  ['PutObject of a small dump', PUT_OBJECT, () => small],
  ['CreateMultipartUpload', CREATE_UPLOAD, () => large],
  ['the first part', FIRST_PART, () => large],
  ['the second part', SECOND_PART, () => large],
  ['the last part', LAST_PART, () => large],
  ['CompleteMultipartUpload', COMPLETE_UPLOAD, () => large],
];

describe.each(OPERATIONS)('%s that S3 refuses', (_, isSelected, replayer) => {
  test('once, is retried', async () => {
    const key = await faulty(isSelected, SLOW_DOWN, 1);
    expect(await replayer().replay('file', key)).toMatchObject({ outcome: 'committed' });
    await s3.hit;
    expect(await stage.hasObject(key)).toBe(true);
  });

  test('every time, stores no dump', async () => {
    const key = await faulty(isSelected, SLOW_DOWN);
    await expect(replayer().replay('file', key)).rejects.toMatchObject({
      reason: 'tryAgain',
      message: expect.stringContaining('SlowDown'),
    });
    expect(await stage.hasObject(key)).toBe(false);
  });
});

test.each([
  ['RequestTimeTooSkewed', 403, 'the dump', PUT_OBJECT, () => small],
  ['RequestTimeTooSkewed', 403, 'a part', SECOND_PART, () => large],
  ['IncompleteBody', 400, 'a part', SECOND_PART, () => large],
] as const)('after %s (%i), %s is sent again', async (code, status, _, isSelected, replayer) => {
  const key = await faulty(isSelected, { status, code, message: 'as S3 says' }, 1);
  expect(await replayer().replay('file', key)).toMatchObject({ outcome: 'committed' });
  await s3.hit;
});

test.each([
  ['every time', SLOW_DOWN, 'large', COMPLETE_UPLOAD, Infinity],
  ['in a response that says that all is well', { ...SLOW_DOWN, status: 200 }, 'large', COMPLETE_UPLOAD, 1],
  ['once', SLOW_DOWN, 'small', PUT_OBJECT, 1],
] as const)(
  'an error that comes after the dump was stored is none: %s',
  async (_, fault, database, isSelected, times) => {
    const key = await faulty(isSelected, { ...fault, isDone: true }, times);
    const replayer = database === 'small' ? small : large;
    expect(await replayer.replay('file', key)).toMatchObject({ outcome: 'committed' });
    await s3.hit;
    expect(await stage.hasObject(key)).toBe(true);
  },
);

test('AbortMultipartUpload that S3 refuses once is retried', async () => {
  const key = await faulty((request) => COMPLETE_UPLOAD(request) || ABORT_UPLOAD(request), SLOW_DOWN, 3);
  await expect(large.replay('file', key)).rejects.toMatchObject({ reason: 'tryAgain' });
});

describe('a part in which a byte changes on the way to S3', () => {
  test.each(OPERATIONS.filter(([, isSelected]) => isSelected !== CREATE_UPLOAD && isSelected !== COMPLETE_UPLOAD))(
    'is retried: %s',
    async (_, isSelected, replayer) => {
      const key = await faulty(isSelected, 'change', 1);
      const { checksums } = await replayer().replay('file', key);
      await s3.hit;
      expect((await readFile(stage.fileOf(key))).length).toBe(checksums.bytes);
    },
  );

  test('every time stores no dump', async () => {
    const key = await faulty(SECOND_PART, 'change');
    await expect(large.replay('file', key)).rejects.toMatchObject({ reason: 'tryAgain' });
    expect(await stage.hasObject(key)).toBe(false);
  });
});

describe('a commit whose response is lost', () => {
  test.each([
    ['in one request', PUT_OBJECT, 'small'],
    ['in parts', COMPLETE_UPLOAD, 'large'],
  ])('is recognized as its own: %s', async (_, isSelected, database) => {
    await faulty(isSelected, 'lose the response', 1);
    const { status, stdout } = await stage.dump(database, { environment: { AWS_ENDPOINT_URL_S3: s3.endpoint } });
    expect(status).toBe(0);
    await s3.hit;
    expect(stdout).toContain('its response was lost');
    expect(await stage.manifestOf(keyOf(database))).toMatchObject({
      recovered: false,
      proof: {
        sha256: await sha256Of(keyOf(database)),
      },
    });
  });

  test('is not confused with the commit of another run', async () => {
    const key = await faulty(COMPLETE_UPLOAD, 'lose the response', 0);
    await small.replay('file', key);
    expect(await large.replay('file', key)).toMatchObject({ outcome: 'taken' });
  });
});

test.each([
  [1, 'small'],
  ...sweep(
    [1, 2, 3].map((round) => [round, 'large'] as const),
    1,
  ),
] as const)(
  'round %i: of two runs that commit the same %s dump at once, one makes it and one knows that it did not',
  async (_, database) => {
    const key = await faulty(() => false, SLOW_DOWN);
    const replayer = database === 'small' ? small : large;
    const results = await Promise.all([replayer.replay('file', key), replayer.replay('file', key)]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['committed', 'taken']);
    expect(await stage.hasObject(key)).toBe(true);
  },
);

describe('what is no answer of S3', () => {
  beforeAll(() => stage.s3.createBucket(ANOTHER_BUCKET));

  const responses = [
    ['an empty one', EMPTY_OK],
    ['a login page', LOGIN_PAGE],
    ['garbage', GARBAGE],
  ] as const;

  const answers = OPERATIONS.flatMap(([operation, isSelected, replayer]) =>
    responses.map(([name, response]) => [name, operation, response, isSelected, replayer] as const),
  );

  // Each operation, and each response several times.
  test.each(sweep(answers, 9))(
    '%s to %s is none, and another attempt is worth while',
    async (_name, _operation, response, isSelected, replayer) => {
      const key = await faulty(isSelected, response);
      await expect(replayer().replay('file', key)).rejects.toMatchObject({ reason: 'tryAgain' });
      expect(await stage.hasObject(key)).toBe(false);
    },
  );

  test.each(responses)('%s to a listing is none', async (_, response) => {
    await faulty((request) => request.startsWith('GET'), response);
    const { status } = await stage.dump('small', { environment: { AWS_ENDPOINT_URL_S3: s3.endpoint } });
    expect(status).toBe(75);
  });

  test('a listing of another bucket is none', async () => {
    await faulty((request) => request.startsWith('GET') && request.includes('list-type'), 'ask for another bucket');
    const { status, stderr } = await stage.dump('small', { environment: { AWS_ENDPOINT_URL_S3: s3.endpoint } });
    expect(stderr).toContain('the response is not one of AWS');
    expect(status).toBe(75);
  });

  test('nor is one of its uploads, and the dump goes on', async () => {
    await faulty((request) => /^GET .*[?&]uploads/.test(request), 'ask for another bucket');
    const environment = {
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_BATCH_JOB_ID: 'job',
      AUTODUMP_WHEN: '2026-11-23T04:00:00Z',
    };
    const { status, stdout } = await stage.dump('small', { environment });
    expect(stdout).toContain('Warning: Could not list the uploads to ');
    expect(status).toBe(0);
  });
});

test('a dump that S3 stored without saying its checksum is looked for before it counts', async () => {
  const key = await faulty(PUT_OBJECT, 'leave out the checksum');
  expect(await small.replay('file', key)).toMatchObject({ outcome: 'committed' });
  await s3.hit;
});

test('a dump that S3 confirmed without a checksum, and does not have, does not count', async () => {
  const key = await faulty(PUT_OBJECT, CONFIRMED);
  await expect(small.replay('file', key)).rejects.toMatchObject({
    reason: 'tryAgain',
    message: expect.stringContaining('S3 confirmed the upload without a checksum, and does not list s3://'),
  });
});

test('a dump of which S3 says another checksum does not count', async () => {
  const key = await faulty(PUT_OBJECT, 'replace the checksum');
  await expect(small.replay('file', key)).rejects.toMatchObject({ reason: 'verificationFailed' });
});

test.each([
  ['an empty response', EMPTY_OK, '2026-11-23T01:00:00Z', 75, 'no request ID'],
  ['another checksum', 'replace the checksum', '2026-11-23T02:00:00Z', 69, 'has the CRC32 AAAAAA=='],
  ['no checksum', 'leave out the checksum', '2026-11-23T03:00:00Z', 0, ''],
] as const)('a manifest counts if S3 has stored it: %s', async (_, fault, when, expected, message) => {
  await faulty((request) => PUT_OBJECT(request) && request.includes('.json?'), fault);
  const environment = { AUTODUMP_WHEN: when, AWS_ENDPOINT_URL_S3: s3.endpoint };
  const { status, stdout, stderr } = await stage.dump('small', { environment });
  expect(stderr).toContain(message);
  expect(status).toBe(expected);
  expect(stdout.includes('Done')).toBe(expected === 0);
  await s3.hit;
});

describe('a run that is interrupted', () => {
  test.each(OPERATIONS.slice(1, 5))('during %s leaves nothing', async (_, isSelected) => {
    const key = await faulty(isSelected, SLOW_DOWN);
    process.env.AWS_MAX_ATTEMPTS = '100';
    const interruption = new AbortController();
    void s3.hit.then(() => {
      interruption.abort(new Interrupted('SIGTERM'));
    });
    // An upload whose ID is unknown cannot be aborted, so the response is awaited.
    if (isSelected === CREATE_UPLOAD) {
      process.env.AWS_MAX_ATTEMPTS = '2';
    }
    await expect(large.replay('memory', key, {}, interruption.signal)).rejects.toThrow('Ended by SIGTERM');
    process.env.AWS_MAX_ATTEMPTS = '2';
    expect(await stage.hasObject(key)).toBe(false);
  });
});

test('an attempt aborts the upload of a killed attempt of its own job, and not that of another job which is running', async () => {
  const when = '2026-11-22T09:00:00Z';
  let isHeld = true;
  const attempt = async (job: string) => {
    const held = await startFaultyS3(stage.s3.endpoint, (request) => isHeld && SECOND_PART(request), SLOW_DOWN);
    const environment = { AUTODUMP_WHEN: when, AWS_BATCH_JOB_ID: job, AWS_MAX_ATTEMPTS: '100' };
    const running = await stage.start('large', { environment: { ...environment, AWS_ENDPOINT_URL_S3: held.endpoint } });
    await Promise.race([held.hit, running.outcome]);
    return { ...running, held };
  };
  const killed = await attempt('job-1');
  s3 = killed.held;
  killed.process.kill('SIGKILL');
  await killed.outcome;
  const other = await attempt('job-2');
  expect(await stage.openUploads()).toBe(2);
  const environment = { AUTODUMP_WHEN: when, AWS_BATCH_JOB_ID: 'job-1' };
  const next = await stage.dump('large', { environment });
  expect(next).toMatchObject({ status: 0, stdout: expect.stringContaining('Aborted an upload') });
  expect(await stage.openUploads()).toBe(1);
  isHeld = false;
  expect(await other.outcome).toMatchObject({ status: 0, stdout: expect.stringContaining('already made this dump') });
  const { proof } = await stage.manifestOf(keyOf('large', when));
  expect(proof.sha256).toBe(await sha256Of(keyOf('large', when)));
  await other.held.stop();
});

test('a dump of several parts is stored unchanged', async () => {
  const key = await faulty(() => false, SLOW_DOWN);
  const { checksums } = await large.replay('file', key);
  expect((await readFile(stage.fileOf(key))).equals(largeFile)).toBe(true);
  expect(checksums.bytes).toBeGreaterThan(2 * 8 * 1024 * 1024);
});
