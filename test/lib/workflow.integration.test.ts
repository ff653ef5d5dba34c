import { describe, expect, test } from '@jest/globals';
import { ofType, synthesizedResources } from './synthesized-template.ts';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts: number;
    readonly MaxDelaySeconds: number;
    readonly JitterStrategy: string;
  }[];
  readonly Parameters?: Record<string, unknown>;
  readonly Branches?: readonly Machine[];
  readonly TimeoutSeconds?: number;
  readonly [key: string]: unknown;
}
interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

const resources = await synthesizedResources();

function definitionOf(construct: string): Machine {
  const machines = Object.entries(ofType(resources, 'AWS::StepFunctions::StateMachine'));
  const [, found] = machines.find(([id]) => id.startsWith(construct)) ?? [];
  const { 'Fn::Join': join } = found?.Properties.DefinitionString as { 'Fn::Join': [string, unknown[]] };
  const text = join[1].map((part) =>
    typeof part === 'string' ? part : `<${JSON.stringify(part).replaceAll('"', '')}>`,
  );
  return JSON.parse(text.join('')) as Machine;
}

const machine = definitionOf('Workflow');
const [job, reschedule] = machine.States['Run job and reschedule']?.Branches ?? [];
const [rescheduleOnly] = machine.States['Reschedule without a job']?.Branches ?? [];
const tasks = [
  machine.States['Compare tags'],
  job?.States.Dump,
  job?.States.Drill,
  reschedule?.States.Reschedule,
  rescheduleOnly?.States['Reschedule only'],
];

describe('the workflow', () => {
  test('waits until the scheduled time, then compares the tags', () => {
    expect(machine.StartAt).toBe('Wait until scheduled');
    expect(machine.States['Wait until scheduled']).toMatchObject({
      TimestampPath: '$.when',
      Next: 'Is its purpose absent?',
    });
    expect(machine.States['Is its purpose absent?']).toMatchObject({
      Choices: [{ Not: { Variable: '$.purpose', IsPresent: true }, Next: 'It is a dump' }],
      Default: 'Name what may be absent',
    });
    expect(machine.States['It is a dump']).toMatchObject({ ResultPath: '$.purpose', Result: 'dump' });
    expect(machine.States['Name what may be absent']?.Next).toBe('Compare tags');
    expect(machine.States['Compare tags']?.Parameters).toEqual({
      FunctionName: expect.stringContaining('RunFunctionsHash'),
      Payload: {
        'purpose.$': '$.purpose',
        'secretArn.$': '$.secretArn',
        'started.$': '$$.Execution.StartTime',
        'tagsHash.$': '$.tagsHash',
        'when.$': '$.when',
      },
    });
  });

  test('runs both branches only if the tags are unchanged', () => {
    expect(machine.States['Is the schedule unchanged?']).toMatchObject({
      Choices: [
        { Variable: '$.comparison.outcome', StringEquals: 'unchanged', Next: 'Run job and reschedule' },
        { Variable: '$.comparison.outcome', StringEquals: 'moved', Next: 'Nothing is due' },
      ],
      Default: 'Superseded',
    });
    expect(machine.States.Superseded?.Type).toBe('Succeed');
  });

  test('runs the job of its purpose', () => {
    expect(job).toMatchObject({ StartAt: 'Is it a drill?' });
    expect(job?.States['Is it a drill?']).toMatchObject({
      Choices: [{ Variable: '$.purpose', StringEquals: 'drill', Next: 'Drill' }],
      Default: 'Dump',
    });
  });

  test.each([
    ['dump', job?.States.Dump, 'DumpJobQueue'],
    ['drill', job?.States.Drill, 'DrillJobQueue'],
  ])(
    'submits the %s job for secret and time of the run, by the name of its definition without a revision',
    (purpose, state, queue) => {
      expect(state?.Parameters).toEqual({
        'JobName.$': `States.Format('${purpose}-{}', $$.Execution.Name)`,
        JobDefinition: `AutoDump-${purpose}`,
        JobQueue: expect.stringContaining(queue),
        ContainerOverrides: {
          Environment: [
            { Name: 'AUTODUMP_SECRET_ARN', 'Value.$': '$.secretArn' },
            { Name: 'AUTODUMP_WHEN', 'Value.$': '$.when' },
            { Name: 'AUTODUMP_EXECUTION', 'Value.$': '$$.Execution.Id' },
          ],
        },
      });
      // Limits the time that it waits for capacity.
      expect(state?.TimeoutSeconds).toBe((3 * 12 + 6) * 3600);
    },
  );

  test('does not retry a failed job', () => {
    const jobs = [job?.States.Dump, job?.States.Drill];
    const retried = jobs.flatMap((state) => state?.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(retried.filter((error) => error.startsWith('States.'))).toEqual([]);
  });

  test('passes its own ARN to the Reschedule function', () => {
    for (const task of [reschedule?.States.Reschedule, rescheduleOnly?.States['Reschedule only']]) {
      expect(task?.Parameters).toMatchObject({
        Payload: {
          'stateMachineArn.$': '$$.StateMachine.Id',
          'tagsHash.$': '$.tagsHash',
          'when.$': '$.when',
          'purpose.$': '$.purpose',
        },
      });
    }
  });

  test('lets no branch fail, whatever its task does', () => {
    const states = [job, reschedule, rescheduleOnly].flatMap((branch) => Object.values(branch?.States ?? {}));
    expect(states.filter(({ Type }) => Type === 'Fail')).toEqual([]);
    const caught = states.filter(({ Type }) => Type === 'Task').map(({ Catch }) => Catch);
    expect(caught).toHaveLength(4);
    for (const one of caught) {
      expect(one?.map(({ ErrorEquals }) => ErrorEquals)).toEqual([['States.ALL']]);
    }
  });

  test('retries every task after transient errors', () => {
    for (const task of tasks) {
      expect(task?.Retry).toHaveLength(2);
    }
  });

  test('retries a throttled call first and for about an hour, since others only came before it', () => {
    for (const task of tasks) {
      const [throttling] = task?.Retry ?? [];
      // With full jitter a pause is half as long as it may be, so these are 3,600 s on average.
      expect(throttling).toMatchObject({ MaxAttempts: 120, MaxDelaySeconds: 60, JitterStrategy: 'FULL' });
      expect(throttling?.ErrorEquals).toEqual([
        'Lambda.TooManyRequestsException',
        'Lambda.EC2ThrottledException',
        'Batch.TooManyRequestsException',
        'ThrottlingException',
      ]);
    }
  });
});

describe('the checks of a thousand secrets that are tagged at once', () => {
  const { Check: check } = definitionOf('Check').States;

  test('queue for the capacity that no dump waits for, for up to three days', () => {
    expect(check?.Parameters).toMatchObject({
      JobQueue: expect.stringContaining('CheckQueue'),
      ContainerOverrides: { Command: ['dump', '--check'] },
    });
    expect(check?.TimeoutSeconds).toBe(3 * 24 * 3600);
  });

  test('are submitted again as those of runs when Batch refuses a call', () => {
    expect(check?.Retry).toEqual(job?.States.Dump?.Retry);
  });
});
