import type { Invariant } from '../../../simulation/checker/violations.ts';
import type { Simulation } from '../../../simulation/simulate.ts';
import { type Break, breakCode, breakDefinition, breakTemplate } from './broken-stack.ts';

/** A stack with a bug, and a simulation that finds it. */
export interface Mutant {
  readonly bug: string;
  readonly breakStack: Break;
  readonly invariant: Invariant;
  readonly simulation: Omit<Simulation, 'cdkOut' | 'until'>;
}

/** Each simulation is limited to secrets known to reveal the bug early; the same seed always gives the same history. */
const SIMULATION = { secrets: 30, days: 3, seed: 4, busy: false };

/** Secrets of one of two worlds, enough for listings with several pages. */
function evenNumbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => 2 * i);
}

export const workflowMutants: readonly Mutant[] = [
  {
    bug: 'Reschedule is skipped when the job fails',
    breakStack: breakDefinition(({ States }) => {
      const both = States['Run job and reschedule'] as { Branches: unknown[]; Parameters: unknown };
      const [dump, reschedule] = both.Branches;
      const { Parameters } = both;
      Object.assign(both, { Branches: [dump], ResultSelector: { 'dump.$': '$[0]', 'reschedule.$': '$[0]' } });
      Object.assign(States['Did both end well?'] ?? {}, { Default: 'Then reschedule' });
      const after = { Type: 'Parallel', Branches: [reschedule], Parameters, ResultPath: '$.after', Next: 'Done' };
      Object.assign(States, { 'Then reschedule': after });
    }),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'there is no periodic scan',
    breakStack: breakTemplate(({ Resources }) => {
      const [id = ''] =
        Object.entries(Resources).find(([, { Properties }]) => 'ScheduleExpression' in Properties) ?? [];
      Reflect.deleteProperty(Resources, id);
    }),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [1] },
  },
  {
    bug: 'the job definition is pinned to a revision',
    breakStack: breakDefinition(({ States }, { Resources }) => {
      Object.assign(dumpTask(States).Parameters, { JobDefinition: '@@new@@' });
      const [Ref] = Object.entries(Resources).find(([, { Type }]) => Type === 'AWS::Batch::JobDefinition') ?? [];
      return { Ref };
    }),
    invariant: 'one dump',
    simulation: { secrets: 6, days: 2, seed: 184, busy: true, only: [2] },
  },
  {
    bug: 'the job is not passed what to dump',
    breakStack: breakDefinition(({ States }) => {
      Object.assign(dumpTask(States).Parameters, { ContainerOverrides: { Environment: [] } });
    }),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'the submission of the job is not retried',
    breakStack: breakDefinition(({ States }) => {
      delete dumpTask(States).Retry;
    }),
    invariant: 'one dump',
    simulation: { ...SIMULATION, only: [22], busy: true },
  },
  {
    bug: 'nothing is rescheduled when the comparison failed',
    breakStack: breakDefinition(({ States }) => {
      Object.assign(States['Comparison failed'] ?? {}, { Next: 'Failed' });
      Object.assign(States.Failed ?? {}, { CausePath: '$.branches.dump.message' });
    }),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 229, days: 1, busy: true, only: [11] },
  },
  {
    bug: 'no rule is enabled',
    breakStack: breakTemplate(({ Resources }) => {
      for (const { Type, Properties } of Object.values(Resources)) {
        if (Type === 'AWS::Events::Rule') {
          Object.assign(Properties, { State: 'DISABLED' });
        }
      }
    }),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [26] },
  },
];

export const functionMutants: readonly Mutant[] = [
  {
    bug: 'the name of an execution lacks the hash of the tags',
    breakStack: breakCode(/\[secretArn, tagsHash, when\]/, '[secretArn, when]'),
    invariant: 'one dump',
    simulation: { ...SIMULATION, secrets: 60, only: [38] },
  },
  {
    bug: 'the Scanner swallows errors',
    breakStack: breakCode(/if \(this\.#failed > 0\)/, 'if (this.#failed < 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [12] },
  },
  {
    bug: 'Hash finds any tags unchanged',
    breakStack: breakCode(/tags\.hash !== tagsHash/, 'tags.hash === ""'),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, secrets: 100, days: 14, only: [99] },
  },
  {
    bug: 'Hash does not know that the rules of time zones change',
    breakStack: breakCode(/if \(hasWaited\(\w+, \w+\) && hasMoved\(\w+, \w+\)\)/, 'if (false)'),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, seed: 16, days: 2, only: [0] },
  },
  {
    bug: 'the memo is kept when the rules of time zones change',
    breakStack: breakCode(/timezoneRules === scope\.timezoneRules/, 'true'),
    invariant: 'always served',
    simulation: { ...SIMULATION, seed: 16, days: 2, only: [0] },
  },
  {
    bug: 'a scan ends after its first page',
    breakStack: breakCode(/nextToken: NextToken }/, 'nextToken: undefined }'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: evenNumbers(15) },
  },
  {
    bug: 'a scan does not continue in another invocation',
    breakStack: breakCode(/await client\.send\((new [\w.]*InvokeCommand\()/, 'void ($1'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, secrets: 500, only: evenNumbers(125) },
  },
  {
    bug: 'Reschedule starts nothing',
    breakStack: breakCode(/await startExecution\(\w+, \w+, decision\.input\)/, '"started"'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [26] },
  },
  {
    bug: 'Reschedule fails without a reason',
    breakStack: breakCode(/const rescheduled = await reschedule\(input\);/, '$& throw new Error("no reason");'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'the Scanner fails without a reason',
    breakStack: breakCode(/if \(this\.#failed > 0\)/, 'if (this.#failed >= 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, only: [14] },
  },
  {
    bug: 'an event starts nothing',
    breakStack: breakCode(/\? await scan\w*\(secret, \w+\)/, '? [{ secret: secretId, outcome: "skipped" }]'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [26] },
  },
  {
    bug: 'no execution waits for more than twenty days',
    breakStack: breakCode(/ = 340 \* 24 \*/, ' = 20 * 24 *'),
    invariant: 'always served',
    simulation: { ...SIMULATION, only: [28] },
  },
  {
    bug: 'an execution may wait until its year leaves no time for the job',
    breakStack: breakCode(/ = 340 \* 24 \*/, ' = 364 * 24 *'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, secrets: 400, only: [261] },
  },
  {
    bug: 'the memo ignores the tags, and an event is lost',
    breakStack: breakCode(/\[secretArn, tagsHash, \.\.\./, '[secretArn, ...'),
    invariant: 'true ends',
    simulation: { secrets: 40, days: 2, seed: 2290, busy: false, only: [26] },
  },
];

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
];

/** Freshness, and what notices that it does not run. */
export const freshnessMutants: readonly Mutant[] = [
  {
    bug: 'Freshness never reports',
    breakStack: breakCode(/if \(news\.length > 0\)/, 'if (news.length < 0)'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness reports again every hour',
    breakStack: breakCode(/const isNews = gaps\.open/, 'const isNews = true || gaps.open'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness does not remind daily',
    breakStack: breakCode(/ \|\| isADayAgo\(earlier, \w+\)/, ''),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 17235, days: 2, only: [7] },
  },
  {
    bug: 'Freshness forgets that a dump is caught up',
    breakStack: breakCode(/if \(before\.arrears !== (void 0|undefined) && gaps\.lasting/, 'if (false && gaps.lasting'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 33412, days: 2, only: [14] },
  },
  {
    bug: 'Freshness does not wait until a dump is overdue',
    breakStack: breakCode(/ - terms\.overdueAfterMs/, ''),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness takes a run that is still going for lost',
    breakStack: breakCode(/run\.status === "going" \? "late" : "overdue"/, '"overdue"'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 85689, days: 1, only: [22] },
  },
  {
    bug: 'Freshness does not say that a late dump is overdue now',
    breakStack: breakCode(/ \|\| kind === "overdue" && gaps\.lasting\?\.kind === "late"/, ''),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 9246, days: 1, only: [25] },
  },
  {
    bug: 'Freshness does not report a dump if a later one is there',
    breakStack: breakCode(/if \(gaps\.lost\.length > 0\)/, 'if (false)'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 15772, days: 1, only: [0] },
  },
  {
    bug: 'tags that were just set owe dumps of the time before',
    breakStack: breakCode(/ \+ scanIntervalMs \+ SCAN_LAG_MS/, ' - 24 * 60 * 6e4'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness swallows errors',
    breakStack: breakCode(/if \(failures\.length > 0\)/, 'if (failures.length < 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 12108, days: 1, only: [0] },
  },
  {
    bug: 'no alarm notices that Freshness does not run',
    breakStack: breakTemplate(({ Resources }) => {
      for (const { Type, Properties } of Object.values(Resources)) {
        if (Type === 'AWS::CloudWatch::Alarm') {
          Object.assign(Properties, { TreatMissingData: 'notBreaching' });
        }
      }
    }),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 931, days: 1, only: [1] },
  },
];

interface DumpTask {
  readonly Parameters: object;
  Retry?: unknown;
}

function dumpTask(states: Readonly<Record<string, unknown>>): DumpTask {
  const both = states['Run job and reschedule'] as { Branches: [{ States: { Dump: DumpTask } }] };
  return both.Branches[0].States.Dump;
}
