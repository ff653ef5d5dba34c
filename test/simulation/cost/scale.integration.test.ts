import { expect, test } from '@jest/globals';
import { measureChecks } from '../../../simulation/cost/check-cost.ts';
import { measureScale } from '../../../simulation/cost/scale.ts';
import { useStack } from '../support/stack.ts';

const stack = useStack();

test('a scan costs one call per hundred secrets plus three, however many runs came due since the last one', async () => {
  const { first, later, settled } = await measureScale(stack.cdkOut, 200);
  // Of runs, and of checks.
  expect(first).toMatchObject({ starts: 400, throttled: 0, failed: 0 });
  const cost = { calls: 5, starts: 0, throttled: 0, invocations: 1, failed: 0 };
  expect(later).toMatchObject(cost);
  expect(settled).toMatchObject(cost);
});

test('a day of checks costs three requests per dump, and hourly one per hundred secrets plus four', async () => {
  const { failed, calls } = await measureChecks(stack.cdkOut, 101, false);
  expect(failed).toBe(0);
  // What is remembered is stored again in the three hours in which manifests are read.
  expect(calls).toEqual({ ListObjectsV2: 101, ListSecrets: 24 * 2, GetObject: 2 * 101 + 24, PutObject: 3 * 24 + 3 });
});

test('a drill costs two more, a listing and the read of its evidence', async () => {
  const { failed, calls } = await measureChecks(stack.cdkOut, 35, true);
  expect(failed).toBe(0);
  // A seventh is drilled on a day, after the dump.
  expect(calls).toMatchObject({ ListObjectsV2: 35 + 5, GetObject: 2 * 35 + 5 + 24 });
});
