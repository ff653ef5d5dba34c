import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runReading } from '../../../docker/engine/run-reading.ts';
import { run } from '../../../docker/process/child.ts';
import { tempFolders } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { processes } from '../support/processes.ts';

const tempFolder = tempFolders();
const environment = { PATH: process.env.PATH };
const signal = new AbortController().signal;
const megabytes = (count: number) => Array.from({ length: count }, () => Buffer.alloc(1024 * 1024));

describe('the input of a child', () => {
  test('is taken if the child reads all of it, however soon it exits afterwards', async () => {
    const ends = await Promise.all(
      Array.from({ length: 100 }, () =>
        run('head', ['-c', '5'], { environment, signal, input: [Buffer.from('12345')] }),
      ),
    );
    expect(ends.filter(({ status, tookAllInput }) => status !== 0 || !tookAllInput)).toEqual([]);
  });

  test('is taken if it exceeds the capacity of a pipe', async () => {
    const ended = await run('cat', [], { environment, signal, input: megabytes(8) });
    expect(ended).toMatchObject({ status: 0, tookAllInput: true });
  });

  test('is not taken if the child succeeds without reading all of it', async () => {
    const ended = await run('head', ['-c', '5'], { environment, signal, input: megabytes(8) });
    expect(ended).toMatchObject({ status: 0, tookAllInput: false });
  });

  test('makes the run fail with its error', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('1');
      await Promise.resolve();
      throw new Error('disk on fire');
    }
    await expect(run('cat', [], { environment, signal, input: broken() })).rejects.toThrow('disk on fire');
  });
});

describe('the output of a child', () => {
  /** Reads what a shell script writes. */
  async function read(script: string, folder: string, signal = new AbortController().signal) {
    const output: Buffer[] = [];
    const { status } = await runReading('sh', ['-c', script], {
      environment,
      signal,
      folder,
      buffer: Buffer.alloc(10_000),
      onOutput: (piece) => {
        output.push(Buffer.from(piece));
      },
    });
    return { status, output: Buffer.concat(output).toString() };
  }

  test.each([
    ['through a socket', ''],
    ['as a stream, if the path is too long for a socket', 'x'.repeat(100)],
  ])('is read to its end, %s', async (_, subfolder) => {
    const folder = join(tempFolder(), subfolder);
    await mkdir(folder, { recursive: true });
    const numbers = Array.from({ length: 300_000 }, (__, index) => `${index + 1}\n`).join('');
    expect(await read('seq 300000; exit 3', folder)).toEqual({ status: 3, output: numbers });
    expect(await readdir(folder)).toEqual([]);
  });

  test('is read as a stream where there can be no socket', async () => {
    const folder = tempFolder();
    await writeFile(join(folder, 'output'), 'in the way');
    expect(await read('echo read', folder)).toEqual({ status: 0, output: 'read\n' });
  });

  test('is given up with the child', async () => {
    const controller = new AbortController();
    const reading = read('echo started; sleep 1000', tempFolder(), controller.signal);
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

test('of endless lines of its standard error only the beginning is kept', async () => {
  const script = 'yes x | tr -d "\\n" | head -c 600000000 >&2; printf "\\n  é last" >&2';
  const before = process.memoryUsage().rss;
  const { lastLines } = await run('sh', ['-c', script], { environment, signal });
  expect(lastLines).toEqual(['x'.repeat(600), 'é last']);
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

describe('a descendant of a child', () => {
  /** A shell that starts a worker, which shares its standard error, prints the worker's process ID, and runs `then`. */
  const leader = (then: string) => ['-c', `sleep 1000 & echo $! >&2; ${then}`];

  async function expectExited(worker: string | undefined): Promise<void> {
    await until(async () => {
      const worked = (await processes()).find(({ pid }) => String(pid) === worker);
      // It is a zombie until its new parent reaps it.
      return worked === undefined || worked.args.includes('<defunct>');
    });
  }

  test('is terminated when the child is killed', async () => {
    const ended = await run('sh', leader('kill -s KILL $$'), { environment, signal });
    expect(ended).toMatchObject({ status: null, signal: 'SIGKILL' });
    await expectExited(ended.lastLines[0]);
  });

  test('is terminated with the child', async () => {
    const controller = new AbortController();
    let worker: string | undefined;
    const running = run('sh', leader('wait'), {
      environment,
      signal: controller.signal,
      onErrorLine: (line) => {
        worker = line;
        controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    await expectExited(worker);
  });

  // Only there, /proc says whether it is stopped.
  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('is asked to end even if it was stopped', async () => {
    const controller = new AbortController();
    const file = join(tempFolder(), 'ended');
    const worker = `sh -c 'trap "echo > ${file}; exit" TERM; echo $$ >&2; kill -s STOP $$; wait' & wait`;
    const running = run('sh', ['-c', worker], {
      environment,
      signal: controller.signal,
      onErrorLine: (pid) => {
        void until(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') T ')).then(() => {
          controller.abort(new Error('enough'));
        });
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(await readdir(dirname(file))).toEqual(['ended']);
  });
});
