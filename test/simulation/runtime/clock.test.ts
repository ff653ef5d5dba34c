import { describe, expect, test } from '@jest/globals';
import { Clock } from '../../../simulation/runtime/clock.ts';

describe('the virtual clock', () => {
  test('leaps from one due time to the next, in order, and in the order of asking at the same time', async () => {
    const clock = new Clock(1000);
    const seen: [string, number][] = [];
    for (const [what, time] of [
      ['c', 3000],
      ['a', 2000],
      ['d', 3000],
      ['late', 500],
      ['never', 9000],
    ] as const) {
      clock.at(time, () => seen.push([what, clock.now]));
    }
    await clock.run(5000);
    expect(seen).toEqual([
      ['late', 1000],
      ['a', 2000],
      ['c', 3000],
      ['d', 3000],
    ]);
    expect(clock.now).toBe(5000);
  });

  test('stands still while what was due goes on in promises', async () => {
    const clock = new Clock(0);
    const seen: number[] = [];
    const act = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        await Promise.resolve();
        seen.push(clock.now);
        await clock.sleep(10);
      }
    };
    clock.at(5, () => void act());
    clock.at(6, () => seen.push(-clock.now));
    await clock.run(100);
    expect(seen).toEqual([5, -6, 15, 25]);
  });

  test('forgets what is canceled', async () => {
    const clock = new Clock(0);
    const cancel = clock.at(10, () => {
      throw new Error('This was canceled.');
    });
    clock.at(5, cancel);
    await clock.run(20);
    expect(clock.now).toBe(20);
  });
});
