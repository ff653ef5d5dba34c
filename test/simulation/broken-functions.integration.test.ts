import { describe, expect, test } from '@jest/globals';
import { foundInvariants } from './support/expectations.ts';
import { functionMutants } from './support/mutants/functions.ts';
import { useStack } from './support/stack.ts';

const stack = useStack();

describe('a simulation finds out that', () => {
  test.each(functionMutants)('$bug', async (mutant) => {
    expect(await foundInvariants(mutant, stack)).toContain(mutant.invariant);
  });
});
