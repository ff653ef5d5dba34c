import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { dumpNow, secretToDumpNow } from '../../../lambda/scanner/dump-now.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const secrets = mockClient(SecretsManagerClient);
const machine = mockClient(SFNClient);

const described = (...Tags: readonly string[]) => ({
  ARN: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:leap-a1B2c3',
  Tags: Tags.map((Value) => ({ Key: 'autodump:start-schedule', Value })),
});

beforeEach(() => {
  secrets.reset();
  machine.reset();
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
});

const request = () => dumpNow('leap', MACHINE, new SecretsManagerClient(), new SFNClient());

test('starts a run for this moment, even if the next one is too far away to wait for', async () => {
  secrets.on(DescribeSecretCommand, { SecretId: 'leap' }).resolves(described('0 0 29 2 *'));
  const before = Date.now();
  const result = await request();
  const { execution, when } = 'refused' in result ? { execution: '', when: '' } : result;
  expect(execution).toMatch(/:execution:AutoDump:leap-\d{8}T\d{6}Z-[0-9a-f]{24}$/);
  expect(Date.parse(when)).toBeGreaterThan(before - 1000);
  expect(Date.parse(when)).toBeLessThanOrEqual(Date.now());
  expect(machine.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => input)).toEqual([
    expect.objectContaining({
      name: execution.split(':').at(-1),
      input: expect.stringContaining(`"when":"${when}"`),
    }),
  ]);
});

test('a secret that is not on a schedule, so that the job may not read it, is refused', async () => {
  secrets.on(DescribeSecretCommand).resolves(described());
  expect(await request()).toEqual({ refused: 'leap cannot be dumped now: It is not on a schedule.' });
  expect(machine.calls()).toEqual([]);
});

test('a secret that does not exist is refused', async () => {
  secrets.on(DescribeSecretCommand).rejects(new ResourceNotFoundException({ message: 'gone', $metadata: {} }));
  expect(await request()).toEqual({ refused: 'There is no secret leap in this account and Region.' });
});

test.each([
  [{ dumpNow: 'prod/orders' }, 'prod/orders'],
  [{ dumpNow: 7 }, undefined],
  [{ source: 'aws.events' }, undefined],
])('the event %j asks for %s', (event, secret) => {
  expect(secretToDumpNow(event)).toBe(secret);
});
