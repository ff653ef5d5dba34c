import { expect, test } from '@jest/globals';
import type { Violation } from '../../simulation/checker/violations.ts';
import { shrink, type ShrinkResult } from '../../simulation/shrink.ts';
import { simulate, type Simulation } from '../../simulation/simulate.ts';
import { type Break, breakCode } from './support/broken-stack.ts';
import { useStack } from './support/stack.ts';

const DAY = 24 * 60 * 60_000;

const stack = useStack();

/** Shrinks the history of a violation, and checks that the result is short and reproduces it. */
async function shrinkViolation(
  breakStack: Break,
  options: Omit<Simulation, 'cdkOut'>,
  isChosen: (violation: Violation) => boolean = () => true,
): Promise<ShrinkResult> {
  const simulation = { ...options, cdkOut: await stack.broken(breakStack) };
  const { violations } = await simulate(simulation, stack.worlds);
  const shrunk = await shrink(simulation, violations.filter(isChosen), stack.worlds);
  expect(shrunk.simulation.keep?.length).toBeLessThanOrEqual(3);
  expect(shrunk.history.length).toBeLessThan(30);
  const { violations: reproduced } = await simulate(shrunk.simulation, stack.worlds);
  expect(reproduced).toContainEqual(shrunk.violation);
  return shrunk;
}

test('a violation is shown by the shortest history, which reproduces it', async () => {
  const breakStack = breakCode(/if \(this\.#failed > 0\)/, 'if (this.#failed < 0)');
  await shrinkViolation(breakStack, { secrets: 6, days: 1, seed: 43, busy: false });
});

test('a run that nothing waits for is found even if it is due long after the mistake', async () => {
  const breakStack = breakCode(/await startExecution\(\w+, \w+, decision\.input\)/, '"started"');
  const isLate = ({ time, message }: Violation) =>
    Date.parse(/^Nothing waits for the \w+ of (\S+) after the Reschedule/.exec(message)?.[1] ?? '') > time + 3 * DAY;
  const { violation } = await shrinkViolation(breakStack, { secrets: 4, days: 1, seed: 436, busy: false }, isLate);
  expect(violation.invariant).toBe('always served');
});
