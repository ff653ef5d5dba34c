import { describe, expect, test } from '@jest/globals';
import { type Attempt, type RetryStrategy, triesAgain } from '../../../../local/services/batch/retry-strategy.ts';

describe('triesAgain', () => {
  const rules: RetryStrategy = {
    Attempts: 3,
    EvaluateOnExit: [
      { Action: 'RETRY', OnExitCode: '75' },
      { Action: 'RETRY', OnStatusReason: 'Task failed*' },
      { Action: 'EXIT', OnReason: '*' },
    ],
  };
  const ended = (exitCode: number): Attempt => ({ exitCode, statusReason: 'Essential container', timedOut: false });
  const notStarted: Attempt = { reason: 'Cannot', statusReason: 'Task failed to start', timedOut: false };

  test.each<[string, Attempt, number, boolean]>([
    ['success', ended(0), 1, false],
    ['a status that a rule names', ended(75), 1, true],
    ['the same status at the last attempt', ended(75), 3, false],
    ['a status that falls to the last rule', ended(77), 1, false],
    ['a reason that begins as a rule says', notStarted, 1, true],
    ['a timeout, whatever the status', { ...ended(75), timedOut: true }, 1, false],
  ])('after %s', (_, attempt, done, expected) => {
    expect(triesAgain(rules, attempt, done)).toBe(expected);
  });

  test('without a rule that fits', () => {
    expect(triesAgain({ Attempts: 2, EvaluateOnExit: [{ Action: 'EXIT', OnExitCode: '7' }] }, ended(1), 1)).toBe(true);
  });

  test('by a rule only if all of its conditions fit', () => {
    const both: RetryStrategy = {
      Attempts: 2,
      EvaluateOnExit: [{ Action: 'EXIT', OnExitCode: '1', OnStatusReason: 'Other*' }],
    };
    expect(triesAgain(both, ended(1), 1)).toBe(true);
  });
});
