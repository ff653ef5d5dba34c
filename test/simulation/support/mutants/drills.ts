import { breakCode, breakDefinition } from '../broken-stack.ts';
import { type Mutant, SIMULATION } from './mutant.ts';

/** Frequent drills, at first of a secret that has no dump yet. */
const BUSY = { ...SIMULATION, busy: true, days: 1, only: [4] };

/** Drills, whose runs the same code serves, and what misses them. */
export const drillMutants: readonly Mutant[] = [
  {
    bug: 'drills share the names of dumps',
    breakStack: breakCode(/return purpose === "drill" \? nameOf/, 'return purpose === "never" ? nameOf'),
    invariant: 'always served',
    simulation: { ...SIMULATION, days: 2, only: [24] },
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
    simulation: { ...SIMULATION, days: 1, only: [4] },
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
    simulation: { ...SIMULATION, days: 1, only: [4] },
  },
  {
    bug: 'the Scanner does not say that the invalid tags are those of drills',
    breakStack: breakCode(/const drill = result\.purpose === "drill" \? " \(drill\)" : ""/, 'const drill = ""'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 149, days: 1, only: [22] },
  },
  {
    bug: 'Freshness ignores drills',
    breakStack: breakCode(/\.\.\.drills && \{ drill: await checkDrills/, '...false && { drill: await checkDrills'),
    invariant: 'reported in time',
    simulation: BUSY,
  },
  {
    bug: 'Freshness does not see the evidence of drills',
    breakStack: breakCode(/!seen\.has\(key\)/, '$& && run.purpose === "dump"'),
    invariant: 'no false report',
    simulation: BUSY,
  },
  {
    bug: 'Freshness forgets that a drill is caught up',
    breakStack: breakCode(/news\.push\(\{ \.\.\.about, kind: "caught up"/, 'if (about.purpose !== "drill") $&'),
    invariant: 'reported in time',
    simulation: BUSY,
  },
  {
    bug: 'a message does not say that it is a drill that is missing',
    breakStack: breakCode(/const what = purpose === "drill" \? "drill " : ""/, 'const what = ""'),
    invariant: 'reported in time',
    simulation: BUSY,
  },
  {
    bug: 'events about drills look like those about dumps',
    breakStack: breakCode(/kind: purpose === "drill" \? `drill \$\{kind\}` : kind/, 'kind'),
    invariant: 'no false report',
    simulation: BUSY,
  },
  {
    bug: 'the status does not say which drills are missing',
    breakStack: breakCode(
      /const \{ arrears, evidence \} = watch \?\? \{\};\n(\s*const \{ verdict)/,
      'const arrears = void 0, { evidence } = watch ?? {};\n$1',
    ),
    invariant: 'true status',
    simulation: BUSY,
  },
];
