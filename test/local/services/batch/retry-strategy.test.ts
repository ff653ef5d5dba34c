import { describe, expect, test } from '@jest/globals';
import { type Attempt, isRetried, type RetryStrategy } from '../../../../local/services/batch/retry-strategy.ts';

describe('isRetried', () => {
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
    ['an exit code that a rule retries', ended(75), 1, true],
    ['the same exit code in the last attempt', ended(75), 3, false],
    ['an exit code that matches only the last rule', ended(77), 1, false],
    ['a reason with the prefix in a rule', notStarted, 1, true],
    ['a timeout, whatever the exit code', { ...ended(75), timedOut: true }, 1, false],
  ])('after %s', (_, attempt, attempts, expected) => {
    expect(isRetried(rules, attempt, attempts)).toBe(expected);
  });

  test('if no rule matches', () => {
    expect(isRetried({ Attempts: 2, EvaluateOnExit: [{ Action: 'EXIT', OnExitCode: '7' }] }, ended(1), 1)).toBe(true);
  });

  test('by a rule only if all of its conditions match', () => {
    const both: RetryStrategy = {
      Attempts: 2,
      EvaluateOnExit: [{ Action: 'EXIT', OnExitCode: '1', OnStatusReason: 'Other*' }],
    };
    expect(isRetried(both, ended(1), 1)).toBe(true);
  });
});
