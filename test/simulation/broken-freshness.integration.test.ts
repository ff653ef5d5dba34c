import { describe, expect, test } from '@jest/globals';
import { foundInvariants } from './support/expectations.ts';
import { freshnessMutants } from './support/mutants/freshness.ts';
import { useStack } from './support/stack.ts';

const stack = useStack();

describe('a simulation finds out that', () => {
  test.each(freshnessMutants)('$bug', async (mutant) => {
    expect(await foundInvariants(mutant, stack)).toContain(mutant.invariant);
  });
});
