import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { SCANS_WERE_OFF } from '../../simulation/checker/missed-dump.ts';
import { total } from '../../simulation/figures.ts';
import { simulate } from '../../simulation/simulate.ts';
import { expectNoViolation } from '../simulation/support/expectations.ts';
import { useStack } from '../simulation/support/stack.ts';
import { sweep } from '../support/sweep.ts';

const stack = useStack();

// Together more than 50,000 runs and 10,000 faults. In CI, one of them each day.
test.each(sweep([1, 2, 3, 4], 1))('a busy simulation of seed %i violates no invariant', async (seed) => {
  const simulation = { cdkOut: stack.cdkOut, secrets: 24, days: 11, seed, busy: true };
  const figures = await simulate(simulation, stack.worlds);
  await expectNoViolation(simulation, figures, stack.worlds);
  expect(figures.runs).toBeGreaterThan(12_500);
  expect(total(figures.faults)).toBeGreaterThan(2_500);
  // Only what nothing could have prevented is excused, so excuses must be rare but for days without scans.
  const { [SCANS_WERE_OFF]: withoutScans = 0 } = figures.excused;
  expect((figures.started + withoutScans) / figures.due).toBeGreaterThan(0.98);
});

test('a simulation of a new seed violates no invariant', async () => {
  const seed = randomInt(1_000_000_000);
  process.stdout.write(`Simulating the new seed ${seed}.\n`);
  const simulation = { cdkOut: stack.cdkOut, secrets: 40, days: 30, seed, busy: false };
  const figures = await simulate(simulation, stack.worlds);
  await expectNoViolation(simulation, figures, stack.worlds);
});
