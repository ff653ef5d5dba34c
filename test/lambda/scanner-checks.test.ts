import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ExecutionAlreadyExists, ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambda/scanner.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const CHECKS = 'arn:aws:states:us-west-2:123456789012:stateMachine:Checks';
const secrets = mockClient(SecretsManagerClient);
const machine = mockClient(SFNClient);
const objects = mockClient(S3Client);
const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

const arn = (name: string) => `arn:aws:secretsmanager:us-west-2:123456789012:secret:${name}-a1B2c3`;
const tagged = (name: string, schedule = '0 8 * * *') => ({
  ARN: arn(name),
  Name: name,
  Tags: [{ Key: 'autodump:start-schedule', Value: schedule }],
});
const tagEvent = (secretId: string) => ({ detail: { eventName: 'TagResource', requestParameters: { secretId } } });

/** The requests to start executions of a state machine. */
const startsOf = (stateMachineArn: string) =>
  machine.commandCalls(StartExecutionCommand, { stateMachineArn }).map(({ args: [{ input }] }) => input);
const startedOf = (stateMachineArn: string) =>
  startsOf(stateMachineArn).map(({ input }) => (JSON.parse(String(input)) as { secretArn: string }).secretArn);
const started = () => startedOf(MACHINE);
const checked = () => startedOf(CHECKS);

beforeEach(() => {
  Object.assign(process.env, {
    STATE_MACHINE_ARN: MACHINE,
    CHECK_STATE_MACHINE_ARN: CHECKS,
    MEMO_BUCKET: 'memo',
    AWS_LAMBDA_FUNCTION_NAME: 'scanner',
  });
  secrets.reset();
  machine.reset();
  objects.on(GetObjectCommand).rejects(new NoSuchKey({ message: 'none', $metadata: {} }));
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
  machine.on(ListExecutionsCommand).resolves({ executions: [] });
});

afterAll(() => {
  log.mockRestore();
});

/** Lets the next scan read the memo that the last one wrote. */
const keepMemo = () => {
  const Body = objects.commandCalls(PutObjectCommand).at(-1)?.args[0].input.Body as string;
  objects.on(GetObjectCommand).resolves({ Body: { transformToString: () => Promise.resolve(Body) } as never });
};

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
