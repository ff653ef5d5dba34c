import { expect, test } from '@jest/globals';
import { describe as describeError, exitStatusOf, Failure, Interrupted } from '../../docker/failure.ts';

test.each([
  [new Failure('misuse', 'm'), 64],
  [new Failure('badSecret', 'm'), 65],
  [new Failure('verificationFailed', 'm'), 69],
  [new Failure('internal', 'm'), 70],
  [new Failure('tryAgain', 'm'), 75],
  [new Failure('refused', 'm'), 77],
  [new TypeError('m'), 70],
  [new Interrupted('SIGINT'), 130],
  // Sent by the platform: Batch retries this status, but not a job that it ended itself.
  [new Interrupted('SIGTERM'), 75],
])('%s has exit status %d', (error, status) => {
  expect(exitStatusOf(error)).toBe(status);
});

test('a failure is described by its reason and exit status, without a stack', () => {
  expect(describeError(new Failure('tryAgain', 'The server is down.'))).toBe(
    'AutoDump failed: temporary failure (exit status 75): The server is down.',
  );
});

test('an internal error is described with its stack', () => {
  expect(describeError(new TypeError('broken'))).toMatch(
    /internal error \(exit status 70\): TypeError: broken\n.*failure\.test\.ts/,
  );
});
