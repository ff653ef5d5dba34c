import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, globSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findClientPrograms } from '../../local/postgres/client-programs.ts';
import { asRootOnLinux, withSmallDisk } from '../docker/support/small-disk.ts';
import { pathOfQuickSynthesis } from '../support/synthesized-app.ts';
import { tempFolders } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const folder = tempFolders();
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL');
  }
});

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly stderr: string }>;
}

function textOf(stream: Readable | null): Promise<string> {
  return stream === null ? Promise.resolve('') : text(stream);
}

/** Starts a program, whose `cdk synth` copies the app that the tests share. */
async function start(
  program: string,
  args: readonly string[],
  temporary: string,
  stdout: 'pipe' | number = 'pipe',
): Promise<Running> {
  const clients = (await findClientPrograms(process.env.PATH ?? '')).map((found) => found.folder);
  const child = spawn(process.execPath, [program, ...args], {
    env: {
      PATH: [...clients, await pathOfQuickSynthesis()].join(':'),
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  running.push(child);
  const end = async () => {
    const [stderr] = await Promise.all([textOf(child.stderr), once(child, 'close')]);
    return { status: child.exitCode, stderr };
  };
  return { child, ended: end() };
}

async function printed(child: ChildProcess, part: string): Promise<void> {
  let all = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (all += chunk.toString()));
  }
  while (!all.includes(part)) {
    await Promise.race([once(child.stdout ?? child, 'data'), once(child.stderr ?? child, 'data')]);
  }
}

const onLinux = process.platform === 'linux' ? test : test.skip;

/** Command lines that contain a folder. */
function runningIn(path: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline')
    .map((file) => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return ''; // The process has ended.
      }
    })
    .filter((line) => line.includes(path));
}

/** A folder that every user may enter: as root, PostgreSQL servers run as another one. */
function enterable(): string {
  const path = folder();
  chmodSync(path, 0o711);
  return path;
}

const PROGRAMS: readonly (readonly [string, number])[] = [
  ['local/main.ts', 2],
  ['simulation/main.ts', 2],
  ['bench/main.ts', 64],
];

describe.each(PROGRAMS)('%s', (program, misuse) => {
  test('refuses a relative TMPDIR, and does not litter the project', async () => {
    const temporary = folder();
    const { child, ended } = await start(program, [], relative('', temporary));
    await printed(child, 'which is a relative path');
    expect(await ended).toMatchObject({ status: misuse });
    expect(readdirSync(temporary)).toEqual([]);
  });
});

const LONG = ['--secrets', '50', '--days', '3000', '--busy'];

describe('the simulation', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGTERM', 143],
  ] as const)('removes its folder on %s, even if the signal is repeated', async (signal, status) => {
    const temporary = folder();
    const { child, ended } = await start('simulation/main.ts', LONG, temporary);
    await printed(child, 'Simulating');
    expect(readdirSync(temporary)).toHaveLength(1);
    child.kill(signal);
    child.kill(signal);
    const { stderr, ...end } = await ended;
    expect(end).toEqual({ status });
    expect(stderr).toContain(`Interrupted by ${signal}`);
    expect(stderr).not.toContain('exited too early');
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('ends like a broken pipe if its output has lost its reader, and not like a violation', async () => {
    const { child, ended } = await start('simulation/main.ts', ['--secrets', '1', '--days', '1'], folder());
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ status: 141 });
  });

  test('fails if its output cannot be written, and not like a violation', async () => {
    const full = openSync('/dev/full', 'w');
    const { ended } = await start('simulation/main.ts', ['--secrets', '1', '--days', '1'], folder(), full);
    closeSync(full);
    expect(await ended).toMatchObject({ status: 3, stderr: expect.stringContaining('no space left on device') });
  });

  test('refuses ids of --keep that do not occur', async () => {
    const args = ['--secrets', '1', '--days', '1', '--seed', '1', '--keep', '1.99,ffffffff'];
    const { ended } = await start('simulation/main.ts', args, folder());
    expect(await ended).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--keep names 1.99, ffffffff, which did not occur'),
    });
  });
});

describe('the benchmark', () => {
  test.each([
    ['Generating', '60MB'],
    ['round 1, predecessor', '2MB'],
  ])('stops its servers after the output "%s"', async (part, size) => {
    const temporary = enterable();
    const { child, ended } = await start('bench/main.ts', ['--size', size, '--rounds', '9'], temporary);
    await printed(child, part);
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    const { status, stderr } = await ended;
    expect({ status, stderr }).toEqual({ status: 143, stderr: expect.stringContaining('Interrupted by SIGTERM') });
    expect(readdirSync(temporary)).toEqual([]);
  });
});

test.each([
  ['local/main.ts', 1],
  ['simulation/main.ts', 3],
  ['bench/main.ts', 1],
])('help of %s that cannot be written fails in words', async (program, status) => {
  const full = openSync('/dev/full', 'w');
  const { ended } = await start(program, ['--help'], folder(), full);
  closeSync(full);
  const stderr = expect.stringContaining('The output cannot be written: ENOSPC: no space left on device');
  expect(await ended).toMatchObject({ status, stderr });
});

test('help whose reader has gone ends like a broken pipe, in words', async () => {
  const { child, ended } = await start('local/main.ts', ['--help'], folder());
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ status: 141, stderr: expect.stringContaining('Interrupted by SIGPIPE') });
});

describe('the local run', () => {
  test('ends like a broken pipe if nobody reads its result', async () => {
    // There is no server, so that otherwise it would report a failure, and end with another status.
    const database = ['--database', 'postgres://reader:x@127.0.0.1:1/x'];
    const { child, ended } = await start(
      'local/main.ts',
      ['--json', '--state-dir', folder(), ...database],
      enterable(),
    );
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ status: 141, stderr: expect.stringContaining('Interrupted by SIGPIPE') });
  });

  test('fails if its result cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const args = ['--json', '--state-dir', folder()];
    const { ended } = await start('local/main.ts', args, enterable(), full);
    closeSync(full);
    expect(await ended).toMatchObject({ status: 1, stderr: expect.stringContaining('no space left on device') });
  });

  onLinux('leaves no server behind when it is killed, and the next program removes its folder', async () => {
    const temporary = enterable();
    const { child, ended } = await start('local/main.ts', ['--json', '--state-dir', folder()], temporary);
    await printed(child, 'sample database:');
    const folders = readdirSync(temporary);
    expect(folders).toContainEqual(expect.stringMatching(/^autodump-sample-/));
    expect(folders.filter((name) => !/^autodump-(sample|servers)-/.test(name))).toEqual([]);
    child.kill('SIGKILL');
    await ended;
    // The kernel has told the server to shut down.
    await until(() => runningIn(temporary).length === 0);
    const next = await start('simulation/main.ts', ['--help'], temporary);
    expect(await next.ended).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(temporary)).toEqual([]);
  });

  asRootOnLinux('says in a sentence that the disk for the sample database is full', async () => {
    await withSmallDisk(async (disk) => {
      const { child, ended } = await start('local/main.ts', ['--json', '--state-dir', join(disk, 'state')], disk);
      const output = textOf(child.stdout);
      expect(await ended).toMatchObject({ status: 1 });
      expect(JSON.parse(await output)).toMatchObject({
        step: 'sample database',
        reason: expect.stringMatching(/^initdb could not create .*: No space left on device\. Set TMPDIR/),
      });
    }, 8);
  });
});
