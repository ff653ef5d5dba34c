import { expect, test } from '@jest/globals';
import { measureScale } from '../../simulation/scale.ts';
import { useStack } from './support/stack.ts';

const stack = useStack();

test('a scan costs one call per hundred secrets plus three, however many runs came due since the last one', async () => {
  const { first, later, settled } = await measureScale(stack.cdkOut, 1000);
  expect(first).toMatchObject({ starts: 1000, throttled: 0, failed: 0 });
  const cost = { calls: 13, starts: 0, throttled: 0, invocations: 1, failed: 0 };
  expect(later).toMatchObject(cost);
  expect(settled).toMatchObject(cost);
});
