import type { Invariant } from '../../../../simulation/checker/violations.ts';
import type { Simulation } from '../../../../simulation/simulate.ts';
import type { Break } from '../broken-stack.ts';

/** A stack with a bug, and a simulation that finds it. */
export interface Mutant {
  readonly bug: string;
  readonly breakStack: Break;
  readonly invariant: Invariant;
  readonly simulation: Omit<Simulation, 'cdkOut' | 'until'>;
}

/** Each simulation is limited to secrets known to reveal the bug early; the same seed always gives the same history. */
export const SIMULATION = { secrets: 30, days: 3, seed: 4, busy: false };
