import { jest } from '@jest/globals';

/** Fakes the timers of a piece of work, and has them pass until it is done. */
export async function inVirtualTime<T>(work: () => Promise<T>): Promise<T> {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  try {
    const done = new AbortController();
    const result = work().finally(() => {
      done.abort();
    });
    while (!done.signal.aborted) {
      await jest.advanceTimersByTimeAsync(10);
    }
    return await result;
  } finally {
    jest.useRealTimers();
  }
}
