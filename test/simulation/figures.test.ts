import { expect, test } from '@jest/globals';
import { type Figures, mergeFigures } from '../../simulation/figures.ts';

test('of all worlds together, the earliest violations come first', () => {
  const world = (...times: readonly number[]): Figures => ({
    ...mergeFigures([]),
    violations: times.map((time) => ({ invariant: 'always served', time, secret: 0, message: 'Nothing waits.' })),
  });
  expect(mergeFigures([world(3, 9), world(1, 5)]).violations.map(({ time }) => time)).toEqual([1, 3, 5, 9]);
});
