import { DescribeSecretCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { ExecutionAlreadyExists, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { handler } from '../../lambda/scanner.ts';
import {
  arn,
  CHECKS,
  keepMemo,
  MACHINE,
  machine,
  resetServices,
  secrets,
  startedOf,
  startsOf,
  tagEvent,
  tagged,
} from './support/scanner-services.ts';

const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

const started = () => startedOf(MACHINE);
const checked = () => startedOf(CHECKS);

beforeEach(resetServices);

afterAll(() => {
  log.mockRestore();
});

const alreadyChecked = () => {
  machine
    .on(StartExecutionCommand, { stateMachineArn: CHECKS })
    .rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
};

test('a check of a secret that an event names is started once for its tags, with what they mean', async () => {
  secrets.on(DescribeSecretCommand).resolves({
    ...tagged('orders', '0 8 1 1 *'),
    Tags: [
      { Key: 'autodump:start-schedule', Value: '0 8 1 1 *' },
      { Key: 'autodump:timezone', Value: 'America/Denver' },
    ],
  });
  expect(await handler(tagEvent('orders'))).toMatchObject({ named: [{ outcome: 'started', checking: true }] });
  const [check, ...others] = startsOf(CHECKS);
  expect(others).toEqual([]);
  expect(check?.name).toMatch(/^orders-check-[0-9a-f]{24}$/);
  const newYear = expect.stringMatching(/^\d{4}-01-01T15:00:00Z$/);
  const { secretArn, when } = JSON.parse(String(startsOf(MACHINE)[0]?.input)) as { secretArn: string; when: string };
  expect(JSON.parse(String(check?.input))).toEqual({
    secretArn,
    when,
    allTagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
    following: [newYear, newYear],
    timezone: 'America/Denver',
  });
  alreadyChecked();
  expect(await handler(tagEvent('orders'))).toMatchObject({ named: [{ checking: false }] });
});

test('a check of a secret whose first run is too far away to wait for is started, too', async () => {
  secrets.on(DescribeSecretCommand).resolves(tagged('leap', '0 0 29 2 *'));
  await handler(tagEvent('leap'));
  expect([started(), checked()]).toEqual([[], [arn('leap')]]);
});

test('a check is started by a scan of all secrets where it starts a run, since an event may be lost', async () => {
  secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('new'), tagged('waiting'), tagged('closed')] });
  await handler({});
  const waiting = startsOf(MACHINE).find(({ name }) => name?.startsWith('waiting'));
  machine.resetHistory();
  machine.on(ListExecutionsCommand).resolves({
    executions: [
      { name: waiting?.name, startDate: new Date(), executionArn: 'x', stateMachineArn: MACHINE, status: 'RUNNING' },
    ],
  });
  machine.on(StartExecutionCommand, { stateMachineArn: MACHINE }).callsFake(({ name }: { readonly name: string }) => {
    if (name.startsWith('closed')) {
      throw new ExecutionAlreadyExists({ message: 'exists', $metadata: {} });
    }
    return { startDate: new Date() };
  });
  await handler({});
  expect(checked()).toEqual([arn('new')]);
});

describe('a check that cannot be started', () => {
  beforeEach(() => {
    machine
      .on(StartExecutionCommand, { stateMachineArn: CHECKS })
      .rejectsOnce(new Error('throttled'))
      .callsFake(() => ({ startDate: new Date() }));
  });

  test('is a failure of the scan, which says that the run is started', async () => {
    secrets.on(DescribeSecretCommand).resolves(tagged('orders'));
    await expect(handler(tagEvent('orders'))).rejects.toThrow(
      'orders: Error: The run is started, but its check is not: Error: throttled',
    );
    expect(started()).toEqual([arn('orders')]);
  });

  test('is a failure of the scan, which says nothing of a run if there is none', async () => {
    secrets.on(DescribeSecretCommand).resolves(tagged('leap', '0 0 29 2 *'));
    await expect(handler(tagEvent('leap'))).rejects.toThrow('leap: Error: The check is not started: Error: throttled');
  });

  test('is started when a scan of all secrets is retried, although the run is started', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('orders')] });
    await expect(handler({})).rejects.toThrow('throttled');
    keepMemo();
    machine.on(StartExecutionCommand, { stateMachineArn: MACHINE }).resolves({ startDate: new Date('2026-01-01') });
    await handler({});
    const twice = [arn('orders'), arn('orders')];
    expect([started(), checked()]).toEqual([twice, twice]);
    keepMemo();
    await handler({});
    expect([started(), checked()]).toEqual([twice, twice]);
  });
});
