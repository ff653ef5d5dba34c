import { describe, expect, test } from '@jest/globals';
import { calling, lambda, machine, stage } from '../../support/mini-world.ts';

const WAITING = machine({
  StartAt: 'Wait',
  States: { Wait: { Type: 'Wait', TimestampPath: '$.when', Next: 'Done' }, Done: { Type: 'Succeed' } },
});
const FAR = { when: '2100-01-01T00:00:00Z' };

describe('StartExecution', () => {
  test('starts only one execution for the same name and input', async () => {
    const { world, start } = await stage({ Machine: WAITING });
    const first = await start('name', FAR);
    expect(await start('name', FAR)).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    expect(world.executions).toHaveLength(1);
    expect(first.executionArn).toBe('arn:aws:states:us-west-2:123456789012:execution:Mini-Machine:name');
  });

  test('rejects the name of an execution that is running with another input, or has ended', async () => {
    const { world, start } = await stage({ Machine: WAITING });
    await start('name', FAR);
    const exists = { name: 'ExecutionAlreadyExists' };
    await expect(start('name', { when: '2100-01-02T00:00:00Z' })).rejects.toMatchObject(exists);
    world.executions[0]?.wait?.finish();
    await world.executions[0]?.ended;
    await expect(start('name', FAR)).rejects.toMatchObject(exists);
  });

  test.each(['has space', 'a/b', 'é*', 'x'.repeat(81)])('rejects the name %j', async (name) => {
    const { start } = await stage({ Machine: WAITING });
    await expect(start(name)).rejects.toMatchObject({ name: 'InvalidName' });
  });

  test('rejects an unknown state machine', async () => {
    const { start } = await stage({});
    await expect(start('name')).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  });
});

describe('an execution', () => {
  test('waits longer than a timer can, until the wait is ended', async () => {
    const { world, start } = await stage({ Machine: WAITING });
    await start('name', FAR);
    const [execution] = world.executions;
    expect(execution?.wait?.until).toEqual(new Date(FAR.when));
    expect(execution?.end).toBeUndefined();
    execution?.wait?.finish();
    expect(await execution?.ended).toEqual({ status: 'SUCCEEDED', output: FAR });
  });

  test('does not wait for a time in the past', async () => {
    const { world, start } = await stage({ Machine: WAITING });
    await start('name', { when: '2020-01-01T00:00:00Z' });
    expect(await world.executions[0]?.ended).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('invokes functions with the environment, role and Region of the template', async () => {
    const code = `exports.handler = async (event) => ({ event, env: process.env });`;
    const environment = { Environment: { Variables: { OWN: { Ref: 'AWS::StackName' } } } };
    const { world, start } = await stage(
      { Machine: machine(calling('Mini-Fn')), Fn: lambda('a', environment) },
      { a: { 'index.js': code } },
    );
    await start('name', { given: 1 });
    const end = await world.executions[0]?.ended;
    expect(end).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        event: { given: 1 },
        env: { OWN: 'Mini', AWS_REGION: 'us-west-2', AWS_ENDPOINT_URL: world.endpoints.services },
      },
    });
    expect(JSON.stringify(end)).not.toContain('HOME');
  });

  test('fails with the error of its function', async () => {
    const code = `exports.handler = () => { throw new RangeError('too much'); };`;
    const { world, start } = await stage(
      { Machine: machine(calling('Mini-Fn')), Fn: lambda('a') },
      { a: { 'index.js': code } },
    );
    await start('name');
    const end = await world.executions[0]?.ended;
    expect(end).toMatchObject({ status: 'FAILED', error: 'RangeError' });
    expect(JSON.parse(end?.status === 'FAILED' ? end.cause : '')).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'too much',
      trace: expect.arrayContaining(['RangeError: too much']),
    });
  });

  test.each([
    ['exits', 'process.exit(3)', 'Runtime.ExitError'],
    ['times out', 'new Promise((done) => setTimeout(done, 60_000))', 'Sandbox.Timedout'],
  ])('fails if its function %s', async (_, body, error) => {
    const { world, start } = await stage(
      { Machine: machine(calling('Mini-Fn')), Fn: lambda('a', { Timeout: 1 }) },
      { a: { 'index.js': `exports.handler = () => ${body};` } },
    );
    await start('name');
    expect(await world.executions[0]?.ended).toMatchObject({ status: 'FAILED', error });
  });

  test('retries and catches as defined in the state', async () => {
    const code = `exports.handler = () => { throw new Error('always'); };`;
    const retrying = {
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2, IntervalSeconds: 60 }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Caught' }],
    };
    const definition = calling('Mini-Fn', retrying);
    const { world, start, events } = await stage(
      {
        Machine: machine({
          ...definition,
          States: {
            ...definition.States,
            Caught: { Type: 'Fail', Error: 'Caught', CausePath: "States.Format('It was {}', $.failure.Error)" },
          },
        }),
        Fn: lambda('a'),
      },
      { a: { 'index.js': code } },
    );
    await start('name');
    expect(await world.executions[0]?.ended).toEqual({ status: 'FAILED', error: 'Caught', cause: 'It was Error' });
    expect(events.filter(({ kind }) => kind === 'function invoked')).toHaveLength(3);
    expect(events.filter(({ kind }) => kind === 'task retried')).toHaveLength(2);
  });

  test('can be stopped', async () => {
    const { world, start, stop } = await stage({ Machine: WAITING });
    const { executionArn = '' } = await start('name', FAR);
    await stop(executionArn);
    expect(await world.executions[0]?.ended).toEqual({ status: 'ABORTED' });
    await expect(stop(`${executionArn}-2`)).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });

  test('is aborted when the world stops', async () => {
    const { world, start } = await stage({ Machine: WAITING });
    await start('name', FAR);
    const [execution] = world.executions;
    await world.stop();
    expect(await execution?.ended).toEqual({ status: 'ABORTED' });
  });

  test('cannot have an unsupported task', async () => {
    const sqs = { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', End: true };
    await expect(stage({ Machine: machine({ StartAt: 'Send', States: { Send: sqs } }) })).rejects.toThrow(
      'The state Send calls arn:aws:states:::sqs:sendMessage, which the local run does not support.',
    );
  });
});
