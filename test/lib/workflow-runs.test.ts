import { describe, expect, test } from '@jest/globals';
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { runnable } from '../../local/assembly/state-machine.ts';
import { resourcesOf, synthesize } from './synthesize.ts';

/** What a task does in place of the function or job: answers, or fails with an error of that name and cause. */
type Task = object | { readonly fails: string; readonly cause?: string };
type Tasks = Readonly<Record<'Compare tags' | 'Reschedule' | 'Dump', Task>>;

const SECRET = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:_orders-a1B2c3';
const UNCHANGED = { Payload: { outcome: 'unchanged', reason: 'It is what it was.' } };
const RESCHEDULED = { Payload: { outcome: 'started', reason: 'The next run is tomorrow.' } };
const well: Tasks = { 'Compare tags': UNCHANGED, Reschedule: RESCHEDULED, Dump: { JobId: 'j1' } };

/** The description that Batch gives of a job that failed. */
const failedJob = (more: object = {}) =>
  JSON.stringify({
    Attempts: [],
    Container: { ExitCode: 77, LogStreamName: 'dump/default/0123', Reason: 'OutOfMemoryError: killed' },
    JobId: 'j1',
    JobName: 'x',
    Status: 'FAILED',
    StatusReason: 'Essential container in task exited',
    ...more,
  });

const definition = definitionOf();

function definitionOf(): StateMachineDefinition {
  const [machine] = Object.values(resourcesOf(synthesize(), 'AWS::StepFunctions::StateMachine'));
  const { 'Fn::Join': join } = machine?.Properties.DefinitionString as { 'Fn::Join': [string, unknown[]] };
  const text = join[1].map((part) => (typeof part === 'string' ? part : 'aws'));
  return runnable(JSON.parse(text.join('')) as StateMachineDefinition);
}

async function run(tasks: Partial<Tasks>): Promise<{ output?: unknown; error?: string; cause?: string }> {
  const handlers: [string, () => Promise<unknown>][] = Object.entries({ ...well, ...tasks }).map(([name, task]) => [
    name,
    () =>
      'fails' in task
        ? Promise.reject(Object.assign(new Error(task.cause), { name: task.fails }))
        : Promise.resolve(task),
  ]);
  const input = { secretArn: SECRET, tagsHash: 'f00d', when: '2026-11-22T08:00:00Z' };
  const machine = new StateMachine(definition, { validationOptions: { checkArn: false } });
  const execution = machine.run(input, {
    overrides: {
      taskResourceLocalHandlers: {
        ...Object.fromEntries(handlers),
        'Wait until scheduled': (given) => given,
      },
      retryIntervalOverrides: { 'Compare tags': 0, Reschedule: 0, Dump: 0 },
    },
    context: {
      Execution: { Id: 'arn:aws:states:us-west-2:123456789012:execution:x:y', Name: '_y' },
      StateMachine: { Id: 'arn:aws:states:us-west-2:123456789012:stateMachine:x' },
    },
  });
  try {
    return { output: await execution.result };
  } catch (error) {
    const failure = (error as Error).cause as Error;
    return { error: failure.name, cause: failure.message };
  }
}

describe('a run', () => {
  test('succeeds if both branches end well', async () => {
    expect(await run({})).toMatchObject({
      output: { branches: { dump: { failed: false }, reschedule: { failed: false } } },
    });
  });

  test('ends well with the reason if the schedule is another by now', async () => {
    const comparison = { outcome: 'changed', reason: 'It was changed.' };
    expect(await run({ 'Compare tags': { Payload: comparison }, Dump: { fails: 'Never' } })).toEqual({
      output: comparison,
    });
  });

  test('fails, naming the secret, if the comparison fails, with a cause or without', async () => {
    expect(await run({ 'Compare tags': { fails: 'ThrottlingException', cause: 'slow down' } })).toEqual({
      error: 'ComparisonFailed',
      cause: expect.stringMatching(new RegExp(`${SECRET} .*ThrottlingException: slow down`)),
    });
    expect(await run({ 'Compare tags': { fails: 'States.Timeout' } })).toMatchObject({ error: 'ComparisonFailed' });
  });

  test('dumps although rescheduling fails, and fails naming that branch', async () => {
    const ended = await run({ Reschedule: { fails: 'AccessDeniedException', cause: 'not authorized' } });
    expect(ended.error).toBe('RunFailed');
    expect(ended.cause).toContain('The dump ended well.');
    expect(ended.cause).toContain(`Rescheduling failed: the next run of ${SECRET} was not started`);
    expect(ended.cause).toContain('AccessDeniedException: not authorized');
  });

  test('reschedules although the job fails, and tells secret, exit status, reason and log stream', async () => {
    expect(await run({ Dump: { fails: 'States.TaskFailed', cause: failedJob() } })).toEqual({
      error: 'RunFailed',
      cause:
        `The dump of ${SECRET} at 2026-11-22T08:00:00Z failed: exit status 77, Essential container in task exited ` +
        '(OutOfMemoryError: killed); log stream dump/default/0123, job j1. ' +
        'Rescheduling ended well. The next run is tomorrow.',
    });
  });

  test('tells of a job that never came to run its container', async () => {
    const cause = failedJob({ Container: {}, StatusReason: undefined });
    expect((await run({ Dump: { fails: 'States.TaskFailed', cause } })).cause).toContain(
      'failed: exit status none, no reason given (no further reason); log stream none, job j1.',
    );
  });

  test.each([
    ['States.Timeout', ''],
    ['Batch.ClientException', 'Job name should match valid pattern'],
    ['Batch.ServerException', 'try later'],
  ])('tells of a job that was not accepted or did not end: %s', async (error, cause) => {
    const ended = await run({ Dump: { fails: error, cause } });
    expect(ended.error).toBe('RunFailed');
    expect(ended.cause).toContain(`failed without a job that ended. ${error}: ${cause}`);
    expect(ended.cause).toContain('Rescheduling ended well.');
  });

  test('fails with both branches in the cause if both fail', async () => {
    const { cause } = await run({
      Dump: { fails: 'States.TaskFailed', cause: failedJob() },
      Reschedule: { fails: 'Error', cause: 'x' },
    });
    expect(cause).toMatch(/exit status 77.*Rescheduling failed/);
  });
});
