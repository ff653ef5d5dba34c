import { describe, expect, test } from '@jest/globals';
import { sweep } from '../support/sweep.ts';
import { foundInvariants } from './support/expectations.ts';
import { drillMutants } from './support/mutants/drills.ts';
import { freshnessMutants } from './support/mutants/freshness.ts';
import { functionMutants } from './support/mutants/functions.ts';
import type { Mutant } from './support/mutants/mutant.ts';
import { workflowMutants } from './support/mutants/workflow.ts';
import { useStack } from './support/stack.ts';

const stack = useStack();

/** The sample has one bug for each invariant. */
function sample(mutants: readonly Mutant[]): readonly Mutant[] {
  const invariants = new Set(mutants.map(({ invariant }) => invariant));
  return [...invariants].flatMap((violated) =>
    sweep(
      mutants.filter(({ invariant }) => invariant === violated),
      1,
    ),
  );
}

describe.each([
  ['the workflow', workflowMutants],
  ['functions', functionMutants],
  ['the check for missing dumps', freshnessMutants],
  ['drills', drillMutants],
])('of %s, a simulation finds out that', (_, mutants) => {
  test.each(sample(mutants))('$bug', async (mutant) => {
    expect(await foundInvariants(mutant, stack)).toContain(mutant.invariant);
  });
});
