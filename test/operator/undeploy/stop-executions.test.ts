import { ListExecutionsCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { stopExecutions } from '../../../operator/undeploy/stop-executions.ts';

const machine = mockClient(SFNClient);
const client = new SFNClient({ region: 'us-west-2' });

const executions = (...names: string[]) =>
  names.map((name) => ({
    executionArn: name,
    name,
    stateMachineArn: 'machine',
    startDate: new Date(),
    status: 'RUNNING' as const,
  }));

beforeEach(() => {
  machine.reset();
  machine.on(StopExecutionCommand).resolves({ stopDate: new Date() });
});

afterAll(() => {
  client.destroy();
});

const stopped = () => machine.commandCalls(StopExecutionCommand).map(({ args: [{ input }] }) => input);

test('stops the running executions on every page, once each, until a listing is empty', async () => {
  machine
    .on(ListExecutionsCommand)
    .resolvesOnce({ executions: executions('a', 'b'), nextToken: 'next' })
    .resolvesOnce({ executions: executions('c') })
    // The listing lags behind, and a scan that was under way has started another execution.
    .resolvesOnce({ executions: executions('d', 'c') })
    .resolves({ executions: [] });
  expect(await stopExecutions(client, ['machine'], () => undefined)).toBe(4);
  expect(stopped()).toEqual(
    ['a', 'b', 'c', 'd'].map((executionArn) => ({ executionArn, cause: 'AutoDump is being removed.' })),
  );
  expect(machine.commandCalls(ListExecutionsCommand)[0]?.args[0].input).toMatchObject({
    stateMachineArn: 'machine',
    statusFilter: 'RUNNING',
    maxResults: 1000,
  });
});

test('stops nothing without a state machine or running executions', async () => {
  machine.on(ListExecutionsCommand).resolves({ executions: [] });
  expect(await stopExecutions(client, [], () => undefined)).toBe(0);
  expect(await stopExecutions(client, ['machine'], () => undefined)).toBe(0);
  expect(stopped()).toEqual([]);
});

test('reports progress of what takes longer than two seconds', async () => {
  const names = Array.from({ length: 25 }, (_, i) => `e${i}`);
  machine
    .on(ListExecutionsCommand)
    .resolvesOnce({ executions: executions(...names) })
    .resolves({ executions: [] });
  const start = Date.now();
  // As if each call took 0.3 seconds.
  const now = jest
    .spyOn(Date, 'now')
    .mockImplementation(() => start + machine.commandCalls(StopExecutionCommand).length * 300);
  const lines: string[] = [];
  await stopExecutions(client, ['machine'], (line) => lines.push(line));
  now.mockRestore();
  expect(lines).toContainEqual(expect.stringMatching(/^Stopped \d+ of 25 executions$/));
});

test('fails if an execution cannot be stopped', async () => {
  machine.on(ListExecutionsCommand).resolves({ executions: executions('a') });
  machine.on(StopExecutionCommand).rejects(new Error('not authorized'));
  await expect(stopExecutions(client, ['machine'], () => undefined)).rejects.toThrow('not authorized');
});
