import { afterEach, expect, jest, test } from '@jest/globals';
import { stopwatch } from '../../docker/time.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('a stopwatch goes on when the clock of the machine is set', () => {
  jest.useFakeTimers();
  const seconds = stopwatch();
  jest.advanceTimersByTime(1200);
  jest.setSystemTime(0);
  jest.advanceTimersByTime(1100);
  expect(seconds()).toBe(2.3);
});
