import { expect, test } from '@jest/globals';
import { Attempts } from '../../docker/attempts.ts';
import { Failure, Interrupted } from '../../docker/failure.ts';

async function failing(...errors: readonly Error[]): Promise<Failure> {
  const attempts = new Attempts(new AbortController().signal);
  for (const [index, error] of errors.entries()) {
    expect(await attempts.make<number>(`part ${index}`, () => Promise.reject(error))).toBeUndefined();
  }
  expect(await attempts.make('good', () => Promise.resolve(7))).toBe(7);
  try {
    attempts.conclude('1 is done.');
  } catch (error) {
    if (error instanceof Failure) {
      return error;
    }
  }
  throw new Error('No failure was thrown.');
}

const refused = new Failure('refused', 'No.');
const badSecret = new Failure('badSecret', 'Bad.');
const tryAgain = new Failure('tryAgain', 'Later.');

test.each([
  ['tryAgain', [refused, tryAgain]],
  ['tryAgain', [tryAgain, badSecret]],
  ['refused', [refused, badSecret]],
  ['badSecret', [badSecret, refused]],
  ['tryAgain', [refused, Object.assign(new Error('full'), { code: 'ENOSPC' })]],
  ['internal', [new TypeError('a fault'), refused]],
] as const)('several failures are one: %s', async (reason, errors) => {
  expect(await failing(...errors)).toMatchObject({ reason });
});

test('it names each, with its exit status', async () => {
  expect((await failing(refused, tryAgain)).message).toBe(
    '1 is done. Failed: (1) part 0: refused (exit status 77): No. (2) part 1: temporary failure (exit status 75): Later.',
  );
});

test('without a failure, or with one that does not matter any more, there is none', async () => {
  const attempts = new Attempts(new AbortController().signal);
  await attempts.make('one', () => Promise.reject(refused));
  expect(attempts.failed('one')).toBe(true);
  attempts.forget('one');
  expect(() => {
    attempts.conclude('1 is done.');
  }).not.toThrow();
});

test('a signal ends them all', async () => {
  const controller = new AbortController();
  const attempts = new Attempts(controller.signal);
  controller.abort(new Interrupted('SIGTERM'));
  await expect(attempts.make('one', () => Promise.reject(refused))).rejects.toBe(controller.signal.reason);
});
