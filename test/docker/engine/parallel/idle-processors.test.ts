import { expect, test } from '@jest/globals';
import { wereIdle } from '../../../../docker/engine/parallel/idle-processors.ts';

test.each([
  ['busy', 10, 100, false],
  ['idle for a sixth of the time', 17, 100, true],
  ['idle in a time in which they do not count', 0, 0, false],
])('processors that are %s: %p of %p', (_, idle, all, expected) => {
  expect(wereIdle({ idle: 1000, all: 5000 }, { idle: 1000 + idle, all: 5000 + all })).toBe(expected);
});
