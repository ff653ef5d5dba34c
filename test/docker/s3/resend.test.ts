import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Part } from '../../../docker/s3/part/part.ts';
import { resend } from '../../../docker/s3/resend.ts';

const part: Part = {
  bytes: 3,
  crc32: 0,
  open: () => Readable.from([Buffer.from('abc')]),
  discard: () => Promise.resolve(),
};

const unreachable = () => Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
const never = new AbortController().signal;

test('each attempt reads the bytes anew', async () => {
  const sent: string[] = [];
  const answer = resend(
    part,
    async (body) => {
      sent.push(String((await body.toArray())[0]));
      if (sent.length < 3) {
        throw unreachable();
      }
      return 'stored';
    },
    3,
    never,
  );
  expect(await answer).toBe('stored');
  expect(sent).toEqual(['abc', 'abc', 'abc']);
});

test.each([
  ['is not transient', 5, new Error('a fault of ours'), 1],
  ['exhausts the attempts', 2, unreachable(), 2],
])('an error that %s is thrown', async (_, attempts, error, expected) => {
  let count = 0;
  const send = () => {
    count += 1;
    return Promise.reject(error);
  };
  await expect(resend(part, send, attempts, never)).rejects.toBe(error);
  expect(count).toBe(expected);
});

test('the error of a body that breaks is thrown', async () => {
  const broken = { ...part, open: () => Readable.from(failing(), { objectMode: false }) };
  const send = (body: Readable, signal: AbortSignal) => {
    body.resume();
    return new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('request aborted'));
      });
    });
  };
  await expect(resend(broken, send, 5, never)).rejects.toThrow('disk on fire');
});

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('a');
  await Promise.resolve();
  throw new Error('disk on fire');
}

test('an abort ends the pause between two attempts', async () => {
  const controller = new AbortController();
  const send = () => {
    setImmediate(() => {
      controller.abort(new Error('interrupted'));
    });
    return Promise.reject(unreachable());
  };
  await expect(resend(part, send, 100, controller.signal)).rejects.toThrow('interrupted');
});

test('an abort during an attempt that succeeds does not hide its success', async () => {
  const controller = new AbortController();
  const send = () => {
    controller.abort(new Error('interrupted'));
    return Promise.resolve('stored');
  };
  expect(await resend(part, send, 5, controller.signal)).toBe('stored');
});
