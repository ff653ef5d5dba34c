import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFolder } from '../support/client-folder.ts';
import { type FaultyS3, startFaultyS3 } from '../support/faulty-s3.ts';
import { noise } from '../support/noise.ts';
import { pgDumpOf, processes } from '../support/processes.ts';
import { keyOf, type Outcome, type Running, Stage } from '../support/stage.ts';

const execute = promisify(execFile);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE held ()',
    // More than one part of an upload.
    noise(1400),
  );
});

afterAll(async () => {
  await stage.tearDown();
});

/** Each test has a different scheduled time, and so a different key. */
let minute = 10;
let when: string;

beforeEach(() => {
  minute += 1;
  when = `2026-11-22T08:${minute}:00Z`;
});

/** No failure leaves anything behind. */
afterEach(async () => {
  expect(await stage.hasObject(keyOf('app', when))).toBe(false);
  expect(await stage.hasObject(`${keyOf('app', when)}.json`)).toBe(false);
  expect(await stage.openUploads()).toBe(0);
  expect(await stage.leftovers()).toEqual([]);
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  return stage.start('app', { environment: { AUTODUMP_WHEN: when, ...environment } });
}

async function dump(environment?: Readonly<Record<string, string>>): Promise<Outcome> {
  return (await start(environment)).outcome;
}

function expectFailure({ status, stderr }: Outcome, expected: number, message: string): void {
  expect({ status, stderr }).toEqual({ status: expected, stderr: expect.stringContaining(message) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
}

describe('a damaged dump is not uploaded', () => {
  test.each([
    ['truncated', 'truncate -s -1000 "$file"'],
    ['truncated within its table of contents', 'truncate -s 1000 "$file"'],
    ['empty', 'truncate -s 0 "$file"'],
    // With gzip, which has a checksum. pg_dump writes zstd without one, so only some changes would be detected.
    ['with changed bytes', 'printf "\\377\\000\\377" | dd of="$file" bs=1 seek=2000000 conv=notrunc status=none'],
    ['with trailing data', 'head -c 1000000 /dev/zero >> "$file"'],
  ])('%s', async (_, damage) => {
    const clients = await clientFolder(`
      for arg; do case "$arg" in --file=*) file="\${arg#--file=}";; esac; done
      "$PG_DUMP" "$@" \${file:+--compress=1} || exit
      [ -z "$file" ] || { ${damage}; }`);
    expectFailure(await dump({ PATH: clients.path }), 69, 'verification failed');
    await clients.remove();
  });
});

describe('a dump is worth another try', () => {
  test('if the disk is full', async () => {
    const clients = await clientFolder(`
      [ "$1" = --version ] && exec "$PG_DUMP" --version
      exec "$PG_DUMP" "$@" --file=/dev/full`);
    const outcome = await dump({ PATH: clients.path });
    expectFailure(outcome, 75, 'The storage is full');
    expect(outcome.stderr).toContain('No space left on device');
    await clients.remove();
  });

  test.each([
    ['SIGKILL', 'pg_dump was ended by SIGKILL'],
    ['SIGTERM', 'pg_dump was stopped from outside, by a signal. Its last messages: pg_dump: terminated by user'],
  ] as const)('if pg_dump is ended by %s', async (signal, message) => {
    await stage.whileLocked('app', 'held', async () => {
      const running = await start();
      await stage.untilDumpWaits(running);
      process.kill((await pgDumpOf(running)).pid, signal);
      expectFailure(await running.outcome, 75, message);
    });
  });

  test('if the server terminates its session', async () => {
    await stage.whileLocked('app', 'held', async () => {
      const running = await start();
      await stage.untilDumpWaits(running);
      await stage.query(
        'postgres',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'autodump'",
      );
      expectFailure(await running.outcome, 75, 'The connection to the server was lost');
    });
  });

  test('if a table stays locked', async () => {
    await stage.whileLocked('app', 'held', async () => {
      // Instead of one minute.
      const clients = await clientFolder('exec "$PG_DUMP" "$@" --lock-wait-timeout=1');
      expectFailure(await dump({ PATH: clients.path }), 75, 'A table could not be locked');
      await clients.remove();
    });
  });
});

describe('a signal', () => {
  test.each([
    ['SIGTERM', 75],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('%s ends the dump and pg_dump', async (signal, status) => {
    await stage.whileLocked('app', 'held', async () => {
      const running = await start();
      await stage.untilDumpWaits(running);
      const { pid } = await pgDumpOf(running);
      running.process.kill(signal);
      expectFailure(await running.outcome, status, `Ended by ${signal}`);
      expect((await processes()).map((listed) => listed.pid)).not.toContain(pid);
    });
  });

  test('during the upload aborts it', async () => {
    const s3 = await startFaultyS3(stage.s3.endpoint, (request) => request.includes('partNumber=2'));
    const running = await start({ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_MAX_ATTEMPTS: '100' });
    await Promise.race([s3.hit, running.outcome]);
    running.process.kill('SIGTERM');
    expectFailure(await running.outcome, 75, 'Ended by SIGTERM');
    await s3.stop();
  });
});

describe('S3 that keeps answering 503 is worth another try', () => {
  let s3: FaultyS3;

  afterEach(async () => {
    await s3.stop();
  });

  test.each([
    ['everything', () => true, 'Could not list'],
    ['parts', (request: string) => request.includes('partNumber=2'), 'Could not upload'],
    [
      'the commit',
      (request: string) => request.startsWith('POST') && request.includes('uploadId='),
      'Could not upload',
    ],
  ])('to %s', async (_, matches, message) => {
    s3 = await startFaultyS3(stage.s3.endpoint, matches);
    const outcome = await dump({ AWS_ENDPOINT_URL_S3: s3.endpoint });
    expectFailure(outcome, 75, message);
    expect(outcome.stderr).toContain('SlowDown');
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

// On other platforms pg_dump is not notified, and runs to its end.
onLinux('killing the program also ends pg_dump', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  // Its reader sees the end of file when the last process that has it open for writing has exited.
  const pipe = join(scratch, 'pipe');
  await execute('mkfifo', [pipe]);
  const clients = await clientFolder(`
    case "$*" in *--lock-wait-timeout*) exec 9>'${pipe}';; esac
    # Waiting longer than the test may take, it can only end by being killed.
    exec "$PG_DUMP" "$@" --lock-wait-timeout=3600000`);
  const untilExited = text(createReadStream(pipe));
  await stage.whileLocked('app', 'held', async () => {
    const running = await start({ TMPDIR: scratch, PATH: clients.path });
    await stage.untilDumpWaits(running);
    running.process.kill('SIGKILL');
    await running.outcome;
    expect(await untilExited).toBe('');
  });
  await clients.remove();
  await rm(scratch, { recursive: true });
});

test('a server that is killed while it sends rows is worth another try', async () => {
  const crashing = await Stage.setUp();
  try {
    await crashing.createDatabase(
      'app',
      'CREATE TABLE noise AS SELECT sha512(i::text::bytea) FROM generate_series(1, 400000) i',
    );
    const running = await crashing.start('app');
    const pid = await crashing.untilDumpReads(running);
    process.kill(await crashing.postmaster(), 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    expectFailure(await running.outcome, 75, 'The connection to the server was lost');
    expect(await crashing.hasObject(keyOf('app'))).toBe(false);
    expect(await crashing.leftovers()).toEqual([]);
  } finally {
    await crashing.tearDown();
  }
});
