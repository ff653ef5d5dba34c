import { expect, test } from '@jest/globals';
import { describe as tell, exitStatusOf, Failure, Interrupted } from '../../docker/failure.ts';

test.each([
  [new Failure('misuse', 'm'), 64],
  [new Failure('badSecret', 'm'), 65],
  [new Failure('verificationFailed', 'm'), 69],
  [new Failure('internal', 'm'), 70],
  [new Failure('tryAgain', 'm'), 75],
  [new Failure('refused', 'm'), 77],
  [new TypeError('m'), 70],
  [new Interrupted('SIGINT'), 130],
  [new Interrupted('SIGTERM'), 143],
])('%s ends with %d', (error, status) => {
  expect(exitStatusOf(error)).toBe(status);
});

test('a failure is told with its meaning and status, and without a stack', () => {
  expect(tell(new Failure('tryAgain', 'The server is away.'))).toBe(
    'AutoDump failed, for a reason that may pass (exit status 75): The server is away.',
  );
});

test('a fault of the program is told with its stack', () => {
  expect(tell(new TypeError('broken'))).toMatch(
    /internal fault \(exit status 70\): TypeError: broken\n.*failure\.test\.ts/,
  );
});
