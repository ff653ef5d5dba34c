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

function definition(): Machine {
  const [machine] = Object.values(ofType(resources, 'AWS::StepFunctions::StateMachine'));
  const { 'Fn::Join': join } = machine?.Properties.DefinitionString as { 'Fn::Join': [string, unknown[]] };
  const text = join[1].map((part) =>
    typeof part === 'string' ? part : `<${JSON.stringify(part).replaceAll('"', '')}>`,
  );
  return JSON.parse(text.join('')) as Machine;
}

const machine = definition();
const [dump, reschedule] = machine.States['Dump and reschedule']?.Branches ?? [];
const [rescheduleOnly] = machine.States['Reschedule without a dump']?.Branches ?? [];
const tasks = [
  machine.States['Compare tags'],
  dump?.States.Dump,
  reschedule?.States.Reschedule,
  rescheduleOnly?.States['Reschedule only'],
];

describe('the workflow', () => {
  test('waits until the scheduled time, then compares the tags', () => {
    expect(machine.StartAt).toBe('Wait until scheduled');
    expect(machine.States['Wait until scheduled']).toMatchObject({
      TimestampPath: '$.when',
      Next: 'Name what may be absent',
    });
    expect(machine.States['Name what may be absent']?.Next).toBe('Compare tags');
    expect(machine.States['Compare tags']?.Parameters).toEqual({
      FunctionName: expect.stringContaining('RunFunctionsHash'),
      Payload: {
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
        { Variable: '$.comparison.outcome', StringEquals: 'unchanged', Next: 'Dump and reschedule' },
        { Variable: '$.comparison.outcome', StringEquals: 'moved', Next: 'No dump is due' },
      ],
      Default: 'Superseded',
    });
    expect(machine.States.Superseded?.Type).toBe('Succeed');
  });

  test('submits the job for the secret and time of the run, by the name of its definition without a revision', () => {
    expect(dump?.States.Dump?.Parameters).toEqual({
      'JobName.$': "States.Format('dump-{}', $$.Execution.Name)",
      JobDefinition: 'AutoDump-dump',
      JobQueue: expect.stringContaining('DumpJobQueue'),
      ContainerOverrides: {
        Environment: [
          { Name: 'AUTODUMP_SECRET_ARN', 'Value.$': '$.secretArn' },
          { Name: 'AUTODUMP_WHEN', 'Value.$': '$.when' },
          { Name: 'AUTODUMP_EXECUTION', 'Value.$': '$$.Execution.Id' },
        ],
      },
    });
  });

  test('limits the time that a job waits for capacity', () => {
    expect(dump?.States.Dump?.TimeoutSeconds).toBe((3 * 12 + 6) * 3600);
  });

  test('does not retry a failed job', () => {
    const retried = dump?.States.Dump?.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? [];
    expect(retried.filter((error) => error.startsWith('States.'))).toEqual([]);
  });

  test('passes its own ARN to the Reschedule function', () => {
    for (const task of [reschedule?.States.Reschedule, rescheduleOnly?.States['Reschedule only']]) {
      expect(task?.Parameters).toMatchObject({
        Payload: { 'stateMachineArn.$': '$$.StateMachine.Id', 'tagsHash.$': '$.tagsHash', 'when.$': '$.when' },
      });
    }
  });

  test('lets no branch fail, whatever its task does', () => {
    for (const branch of [dump, reschedule, rescheduleOnly]) {
      const states = Object.values(branch?.States ?? {});
      expect(states.filter(({ Type }) => Type === 'Task')).toHaveLength(1);
      expect(states.filter(({ Type }) => Type === 'Fail')).toEqual([]);
      const [task] = states.filter(({ Type }) => Type === 'Task');
      expect(task?.Catch?.map(({ ErrorEquals }) => ErrorEquals)).toEqual([['States.ALL']]);
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
