import { breakCode, breakDefinition } from '../broken-stack.ts';
import { type Mutant, SIMULATION } from './mutant.ts';

/** Drills, whose runs the same code serves. */
export const drillMutants: readonly Mutant[] = [
  {
    bug: 'drills share the names of dumps',
    breakStack: breakCode(/return purpose === "drill" \? nameOf/, 'return purpose === "never" ? nameOf'),
    invariant: 'always served',
    simulation: { ...SIMULATION },
  },
  {
    bug: 'a change of the drill tag does not supersede a drill',
    breakStack: breakCode(
      /if \(tags\.hash !== tagsHash\)/,
      'if (purpose === "drill") return { outcome: "unchanged", reason: "x" }; $&',
    ),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, seed: 10, days: 7, only: [4] },
  },
  {
    bug: 'a drill makes a dump',
    breakStack: breakDefinition(({ States }) => {
      const both = States['Run job and reschedule'] as { Branches: [{ StartAt: string }] };
      both.Branches[0].StartAt = 'Dump';
    }),
    invariant: 'no other dump',
    simulation: { ...SIMULATION },
  },
  {
    bug: 'Reschedule does not know that a run is a drill',
    breakStack: breakDefinition(({ States }) => {
      const both = States['Run job and reschedule'] as {
        Branches: [unknown, { States: { Reschedule: { Parameters: { Payload: Record<string, unknown> } } } }];
      };
      delete both.Branches[1].States.Reschedule.Parameters.Payload['purpose.$'];
    }),
    invariant: 'always served',
    simulation: { ...SIMULATION },
  },
  {
    bug: 'the Scanner does not say that the invalid tags are those of drills',
    breakStack: breakCode(/const drill = result\.purpose === "drill" \? " \(drill\)" : ""/, 'const drill = ""'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 149, days: 1, only: [22] },
  },
];
