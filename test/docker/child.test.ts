import { describe, expect, test } from '@jest/globals';
import { run } from '../../docker/child.ts';

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
