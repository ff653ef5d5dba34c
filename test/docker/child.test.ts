import { describe, expect, test } from '@jest/globals';
import { run } from '../../docker/child.ts';
import { processes } from './support/stage.ts';

const environment = { PATH: process.env.PATH };
const signal = new AbortController().signal;
const megabytes = (count: number) => Array.from({ length: count }, () => Buffer.alloc(1024 * 1024));

describe('the input of a child', () => {
  test('is taken if the child reads all of it, however soon it is gone afterwards', async () => {
    const ends = await Promise.all(
      Array.from({ length: 100 }, () =>
        run('head', ['-c', '5'], { environment, signal, input: [Buffer.from('12345')] }),
      ),
    );
    expect(ends.filter(({ status, tookAllInput }) => status !== 0 || !tookAllInput)).toEqual([]);
  });

  test('is taken if it is larger than a pipe holds', async () => {
    const ended = await run('cat', [], { environment, signal, input: megabytes(8) });
    expect(ended).toMatchObject({ status: 0, tookAllInput: true });
  });

  test('is not taken if the child ends well in the middle of it', async () => {
    const ended = await run('head', ['-c', '5'], { environment, signal, input: megabytes(8) });
    expect(ended).toMatchObject({ status: 0, tookAllInput: false });
  });

  test('fails the run with its own error', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('1');
      await Promise.resolve();
      throw new Error('disk on fire');
    }
    await expect(run('cat', [], { environment, signal, input: broken() })).rejects.toThrow('disk on fire');
  });
});

describe('what a child has started', () => {
  /** Has a worker that holds its standard error, tells the worker's process, and then does what it is told. */
  const leader = (then: string) => ['-c', `sleep 1000 & echo $! >&2; ${then}`];

  async function expectGone(worker: string | undefined): Promise<void> {
    while ((await processes()).some(({ pid, args }) => String(pid) === worker && !args.includes('<defunct>'))) {
      // Its new parent still has to notice that it is gone.
    }
  }

  test('is ended when the child is killed', async () => {
    const ended = await run('sh', leader('kill -s KILL $$'), { environment, signal });
    expect(ended).toMatchObject({ status: null, signal: 'SIGKILL' });
    await expectGone(ended.complaints[0]);
  });

  test('is ended with the child', async () => {
    const controller = new AbortController();
    let worker: string | undefined;
    const running = run('sh', leader('wait'), {
      environment,
      signal: controller.signal,
      complained: (line) => {
        worker = line;
        controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    await expectGone(worker);
  });
});
