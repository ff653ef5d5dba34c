import { expect } from '@jest/globals';
import type { Figures } from '../../../simulation/figures.ts';
import { historyText } from '../../../simulation/report.ts';
import { shrink } from '../../../simulation/shrink.ts';
import { shardsOf, type Simulation } from '../../../simulation/simulate.ts';
import type { WorldProcesses } from '../../../simulation/world-process.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { TestStack } from './stack.ts';

/** Expects no violation, or fails with the shortest history of the first one. */
export async function expectNoViolation(
  simulation: Simulation,
  figures: Figures,
  worlds: WorldProcesses,
): Promise<void> {
  const { violations } = figures;
  const history = violations.length === 0 ? '' : historyText(await shrink(simulation, violations, worlds));
  expect(history).toBe('');
}

/** The invariants that a stack with a bug violates, up to the first violation of the expected one. */
export async function foundInvariants(
  { breakStack, invariant, simulation }: Mutant,
  stack: TestStack,
): Promise<readonly string[]> {
  const cdkOut = await stack.broken(breakStack);
  const found = new Set<string>();
  for (const shard of shardsOf({ ...simulation, cdkOut, until: { invariant } })) {
    const { violations } = await stack.worlds.run(shard);
    for (const violation of violations) {
      found.add(violation.invariant);
    }
  }
  return [...found];
}
