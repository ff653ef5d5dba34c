import { breakDefinition, breakTemplate } from '../broken-stack.ts';
import { type Mutant, SIMULATION } from './mutant.ts';

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
  {
    bug: 'rescheduling is not retried',
    breakStack: breakDefinition(({ States }) => {
      delete rescheduleTask(States).Retry;
    }),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 229, days: 1, busy: true, only: [11] },
  },
  {
    bug: 'rescheduling waits for the job to end',
    breakStack: breakDefinition(({ States }) => {
      const both = States['Run job and reschedule'] as { Branches: unknown[]; Parameters: unknown };
      const [dump, reschedule] = both.Branches;
      const { Parameters } = both;
      Object.assign(both, {
        Branches: [dump],
        ResultSelector: { 'dump.$': '$[0]' },
        Next: 'Then reschedule',
      });
      Object.assign(States, {
        'Then reschedule': {
          Type: 'Parallel',
          Branches: [reschedule],
          Parameters,
          ResultSelector: { 'result.$': '$[0]' },
          ResultPath: '$.branches.rescheduled',
          Next: 'Then both',
        },
        'Then both': {
          Type: 'Pass',
          Parameters: { 'dump.$': '$.branches.dump', 'reschedule.$': '$.branches.rescheduled.result' },
          ResultPath: '$.branches',
          Next: 'Did both end well?',
        },
      });
    }),
    invariant: 'true ends',
    simulation: { ...SIMULATION, days: 1, only: [14] },
  },
  {
    bug: 'the cause of a failed run mixes its branches up',
    breakStack: breakDefinition(({ States }) => {
      Object.assign(States['Run job and reschedule'] ?? {}, {
        ResultSelector: { 'dump.$': '$[1]', 'reschedule.$': '$[0]' },
      });
    }),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 229, days: 1, busy: true, only: [11] },
  },
  {
    bug: 'the job is passed its secret and time under the names of each other',
    breakStack: breakDefinition(({ States }) => {
      const { ContainerOverrides } = dumpTask(States).Parameters as {
        readonly ContainerOverrides: { readonly Environment: { Name: string }[] };
      };
      const [secret, when] = ContainerOverrides.Environment;
      if (secret !== undefined && when !== undefined) {
        [secret.Name, when.Name] = [when.Name, secret.Name];
      }
    }),
    invariant: 'no other dump',
    simulation: { ...SIMULATION, days: 1, only: [14] },
  },
];

interface BrokenTask {
  readonly Parameters: object;
  Retry?: unknown;
}

function branchesOf(states: Readonly<Record<string, unknown>>) {
  const both = states['Run job and reschedule'] as {
    readonly Branches: readonly [
      { readonly States: { readonly Dump: BrokenTask } },
      { readonly States: { readonly Reschedule: BrokenTask } },
    ];
  };
  return both.Branches;
}

function dumpTask(states: Readonly<Record<string, unknown>>): BrokenTask {
  return branchesOf(states)[0].States.Dump;
}

function rescheduleTask(states: Readonly<Record<string, unknown>>): BrokenTask {
  return branchesOf(states)[1].States.Reschedule;
}
