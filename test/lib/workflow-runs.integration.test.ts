import { describe, expect, test } from '@jest/globals';
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { runnable } from '../../local/assembly/state-machine.ts';
import { ofType, synthesizedResources } from './synthesized-template.ts';

/** Stands in for a function or job: the task's result, or the name and cause of its error. */
type Task = object | { readonly fails: string; readonly cause?: string };
type Tasks = Readonly<Record<'Compare tags' | 'Reschedule' | 'Reschedule only' | 'Dump' | 'Drill', Task>>;

const SECRET = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:_orders-a1B2c3';
const UNCHANGED = { Payload: { outcome: 'unchanged', reason: 'It is what it was.' } };
const RESCHEDULED = { Payload: { outcome: 'started', reason: 'The next run is tomorrow.' } };
const DONE = { failed: false, message: 'The dump ended well.' };
const NEXT_STARTED = {
  failed: false,
  message: 'Rescheduling ended well. The next run is tomorrow.',
  result: RESCHEDULED.Payload,
};
const SUCCESS: Tasks = {
  'Compare tags': UNCHANGED,
  Reschedule: RESCHEDULED,
  'Reschedule only': RESCHEDULED,
  Dump: { JobId: 'j1' },
  Drill: { fails: 'Never' },
};

/** Batch's description of a failed job. */
const failedJob = (more: object = {}) =>
  JSON.stringify({
    Attempts: [{}, {}],
    Container: { ExitCode: 77, LogStreamName: 'dump/default/0123', Reason: 'OutOfMemoryError: killed' },
    JobId: 'j1',
    JobName: 'x',
    Status: 'FAILED',
    StatusReason: 'Essential container in task exited',
    ...more,
  });

const definitions = await readDefinitions();
const [workflow] = definitions;
if (workflow === undefined) {
  throw new Error('The template has no state machine.');
}
const machine = new StateMachine(workflow, { validationOptions: { noValidate: true } });

async function readDefinitions(): Promise<readonly StateMachineDefinition[]> {
  const machines = Object.values(ofType(await synthesizedResources(), 'AWS::StepFunctions::StateMachine'));
  return machines.map(({ Properties }) => {
    const { 'Fn::Join': join } = Properties.DefinitionString as { 'Fn::Join': [string, unknown[]] };
    const text = join[1].map((part) => (typeof part === 'string' ? part : 'aws'));
    return runnable(JSON.parse(text.join('')) as StateMachineDefinition);
  });
}

interface Result {
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: unknown;
  /** What was passed to each task. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** @param purpose absent in the input of a dump, as in that of executions from before there were drills */
async function run(tasks: Partial<Tasks>, purpose?: 'drill'): Promise<Result> {
  const inputs: Record<string, unknown> = {};
  const handlers = Object.entries({ ...SUCCESS, ...tasks }).map(([name, task]) => [
    name,
    (input: unknown) => {
      inputs[name] = input;
      return 'fails' in task
        ? Promise.reject(Object.assign(new Error(task.cause), { name: task.fails }))
        : Promise.resolve(task);
    },
  ]);
  const input = { secretArn: SECRET, tagsHash: 'f00d', when: '2026-11-22T08:00:00Z', ...(purpose && { purpose }) };
  const execution = machine.run(input, {
    overrides: {
      taskResourceLocalHandlers: {
        ...(Object.fromEntries(handlers) as object),
        'Wait until scheduled': (input) => input,
      },
      retryIntervalOverrides: { 'Compare tags': 0, Reschedule: 0, Dump: 0, Drill: 0 },
    },
    context: {
      Execution: {
        Id: 'arn:aws:states:us-west-2:123456789012:execution:x:y',
        Name: '_y',
        StartTime: '2026-11-21T08:00:00.123Z',
      },
      StateMachine: { Id: 'arn:aws:states:us-west-2:123456789012:stateMachine:x' },
    },
  });
  try {
    return { output: await execution.result, inputs };
  } catch (error) {
    const failure = (error as Error).cause as Error;
    return { error: failure.name, cause: JSON.parse(failure.message), inputs };
  }
}

test.each(definitions)('the definition of each state machine is valid', (definition) => {
  expect(() => new StateMachine(definition, { validationOptions: { checkArn: false } })).not.toThrow();
});

describe('a run', () => {
  test('succeeds if both branches succeed', async () => {
    expect(await run({})).toMatchObject({
      output: { branches: { dump: { failed: false }, reschedule: { failed: false } } },
    });
  });

  test('succeeds with the reason if the schedule has changed', async () => {
    const comparison = { outcome: 'changed', reason: 'It was changed.' };
    expect(await run({ 'Compare tags': { Payload: comparison }, Dump: { fails: 'Never' } })).toMatchObject({
      output: comparison,
    });
  });

  test('starts the next run, but no dump, if the rules of the time zone have changed', async () => {
    const comparison = { outcome: 'moved', reason: 'It is not due.' };
    expect(await run({ 'Compare tags': { Payload: comparison }, Dump: { fails: 'Never' } })).toMatchObject({
      output: {
        branches: { dump: { failed: false, message: 'It is not due.' }, reschedule: NEXT_STARTED },
      },
    });
  });

  test('starts the next run, but no dump, if the comparison fails, and then fails, naming the secret', async () => {
    const tasks = { 'Compare tags': { fails: 'ServiceUnavailable', cause: 'not now' }, Dump: { fails: 'Never' } };
    expect(await run(tasks)).toMatchObject({
      error: 'RunFailed',
      cause: {
        dump: {
          failed: true,
          message:
            `The comparison failed: AutoDump could not read whether the schedule of ${SECRET} is unchanged, so there ` +
            'was no dump at 2026-11-22T08:00:00Z. ServiceUnavailable: not now.',
        },
        reschedule: NEXT_STARTED,
      },
    });
  });

  test('reports that comparing and rescheduling both failed, with or without a cause', async () => {
    const { error, cause } = await run({
      'Compare tags': { fails: 'States.Timeout' },
      'Reschedule only': { fails: 'AccessDeniedException', cause: 'not authorized' },
    });
    expect(error).toBe('RunFailed');
    expect(cause).toEqual({
      dump: { failed: true, message: expect.stringMatching(/States\.Timeout: \.$/) },
      reschedule: {
        failed: true,
        message: expect.stringMatching(/^Rescheduling failed: .* AccessDeniedException: not au/),
      },
    });
  });

  test('dumps even if rescheduling fails, and then fails, naming that branch', async () => {
    const result = await run({ Reschedule: { fails: 'AccessDeniedException', cause: 'not authorized' } });
    const message =
      `Rescheduling failed: the next run of ${SECRET} was not started, which the next scan makes up for. ` +
      'AccessDeniedException: not authorized';
    expect(result).toMatchObject({ error: 'RunFailed', cause: { dump: DONE, reschedule: { failed: true, message } } });
  });

  test('reschedules even if the job fails, and reports secret, exit status, reason and log stream', async () => {
    expect(await run({ Dump: { fails: 'States.TaskFailed', cause: failedJob() } })).toMatchObject({
      error: 'RunFailed',
      cause: {
        dump: {
          failed: true,
          message:
            `The dump of ${SECRET} at 2026-11-22T08:00:00Z failed: exit status 77, Essential container in task exited ` +
            '(OutOfMemoryError: killed); log stream dump/default/0123, job j1.',
          exitStatus: 77,
          reason: 'Essential container in task exited (OutOfMemoryError: killed)',
          attempts: 2,
          logStream: 'dump/default/0123',
        },
        reschedule: NEXT_STARTED,
      },
    });
  });

  test('reports a job that never started its container', async () => {
    const cause = failedJob({ Attempts: undefined, Container: {}, StatusReason: undefined });
    const message = `The dump of ${SECRET} at 2026-11-22T08:00:00Z failed: exit status none, no reason given (no further reason); log stream none, job j1.`;
    expect((await run({ Dump: { fails: 'States.TaskFailed', cause } })).cause).toMatchObject({
      dump: { failed: true, message, exitStatus: 'none', attempts: 0, logStream: 'none' },
    });
  });

  test.each([
    ['States.Timeout', ''],
    ['Batch.ClientException', 'Job name should match valid pattern'],
    ['Batch.ServerException', 'try later'],
  ])('reports a job that was not accepted or did not end: %s', async (error, cause) => {
    const result = await run({ Dump: { fails: error, cause } });
    const message = `The dump of ${SECRET} at 2026-11-22T08:00:00Z failed without a job that ended. ${error}: ${cause}.`;
    expect(result).toMatchObject({
      error: 'RunFailed',
      cause: { dump: { failed: true, message }, reschedule: NEXT_STARTED },
    });
  });

  test('fails with both branches in the cause if both fail', async () => {
    const { cause } = await run({
      Dump: { fails: 'States.TaskFailed', cause: failedJob() },
      Reschedule: { fails: 'Error', cause: 'x' },
    });
    expect(cause).toMatchObject({ dump: { failed: true, exitStatus: 77 }, reschedule: { failed: true } });
  });

  test('without a purpose, as all were that were started before there were drills, is a dump', async () => {
    const { inputs } = await run({});
    expect(Object.keys(inputs).sort()).toEqual(['Compare tags', 'Dump', 'Reschedule']);
    for (const task of ['Compare tags', 'Reschedule']) {
      expect(inputs[task]).toMatchObject({ Payload: { purpose: 'dump', tagsHash: 'f00d' } });
    }
  });
});

describe('a drill', () => {
  const drill = (tasks: Partial<Tasks>) => run({ Drill: { JobId: 'j1' }, Dump: { fails: 'Never' }, ...tasks }, 'drill');

  test('runs its own job in place of that of a dump, and passes its purpose on', async () => {
    const { output, inputs } = await drill({});
    expect(output).toMatchObject({
      branches: { dump: { failed: false, message: 'The drill ended well.' }, reschedule: NEXT_STARTED },
    });
    expect(Object.keys(inputs).sort()).toEqual(['Compare tags', 'Drill', 'Reschedule']);
    for (const task of ['Compare tags', 'Reschedule']) {
      expect(inputs[task]).toMatchObject({ Payload: { purpose: 'drill', tagsHash: 'f00d' } });
    }
  });

  test('that failed does not say that a dump failed', async () => {
    const { error, cause } = await drill({ Drill: { fails: 'States.TaskFailed', cause: failedJob() } });
    expect(error).toBe('RunFailed');
    expect(cause).toMatchObject({
      dump: { failed: true, message: expect.stringContaining(`The drill of ${SECRET} at 2026-11-22T08:00:00Z failed`) },
      reschedule: NEXT_STARTED,
    });
    expect(await drill({ Drill: { fails: 'States.Timeout' } })).toMatchObject({
      cause: { dump: { message: expect.stringMatching(/^The drill of .* failed without a job that ended/) } },
    });
  });

  test('of which the comparison fails reschedules drills, and says that there was none', async () => {
    const { cause, inputs } = await drill({ 'Compare tags': { fails: 'States.Timeout' } });
    expect(cause).toMatchObject({ dump: { message: expect.stringContaining('so there was no drill at') } });
    expect(inputs['Reschedule only']).toMatchObject({ Payload: { purpose: 'drill' } });
  });
});
