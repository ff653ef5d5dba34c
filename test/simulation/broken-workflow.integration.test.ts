import { describe, expect, test } from '@jest/globals';
import { foundInvariants } from './support/expectations.ts';
import { workflowMutants } from './support/mutants/workflow.ts';
import { useStack } from './support/stack.ts';

const stack = useStack();

describe('a simulation finds out that', () => {
  test.each(workflowMutants)('$bug', async (mutant) => {
    expect(await foundInvariants(mutant, stack)).toContain(mutant.invariant);
  });
});
