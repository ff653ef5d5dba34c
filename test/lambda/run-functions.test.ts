import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { handler as hash } from '../../lambda/compare-tags.ts';
import { readTags } from '../../lambda/core/tags.ts';
import { handler as reschedule } from '../../lambda/reschedule.ts';

const secretArn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const stateMachineArn = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const Tags = [{ Key: 'autodump:start-schedule', Value: '0 8 * * *' }];
const input = { secretArn, tagsHash: String(readTags(Tags)?.hash), when: '2035-11-22T08:00:00Z' };
const gone = new ResourceNotFoundException({ message: 'gone', $metadata: {} });

const secrets = mockClient(SecretsManagerClient);
const machine = mockClient(SFNClient);
const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

beforeEach(() => {
  secrets.reset();
  machine.reset();
  secrets.on(DescribeSecretCommand, { SecretId: secretArn }).resolves({ ARN: secretArn, Tags });
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
});
afterAll(() => {
  log.mockRestore();
});

describe('the Hash function', () => {
  test('returns the comparison with the current tags', async () => {
    expect(await hash(input)).toMatchObject({ outcome: 'unchanged' });
    expect(await hash({ ...input, tagsHash: 'other' })).toMatchObject({ outcome: 'changed' });
  });

  test('reports a secret that does not exist as gone, and fails on any other error', async () => {
    secrets.on(DescribeSecretCommand).rejects(gone);
    expect(await hash(input)).toMatchObject({ outcome: 'gone' });
    secrets.on(DescribeSecretCommand).rejects(new Error('throttled'));
    await expect(hash(input)).rejects.toThrow('throttled');
  });
});

describe('the Reschedule function', () => {
  const run = { ...input, stateMachineArn };
  const today = `${new Date().toISOString().slice(0, 10)}T08:00:00Z`;

  test('starts the next run of this secret, on the state machine that calls it', async () => {
    const following = await reschedule({ ...run, when: today });
    expect(following).toMatchObject({ outcome: 'started', timezone: 'UTC' });
    const started = machine.commandCalls(StartExecutionCommand)[0]?.args[0].input;
    expect(started?.stateMachineArn).toBe(stateMachineArn);
    expect(JSON.parse(String(started?.input))).toEqual({ secretArn, tagsHash: input.tagsHash, when: following.next });
  });

  test('starts the next drill after a drill, whatever has become of the schedule of dumps', async () => {
    const DRILL_TAGS = [{ Key: 'autodump:drill-schedule', Value: '0 8 * * *' }];
    secrets.on(DescribeSecretCommand).resolves({ ARN: secretArn, Tags: DRILL_TAGS });
    const drill = { ...run, tagsHash: String(readTags(DRILL_TAGS, 'drill')?.hash), purpose: 'drill' } as const;
    const { next } = await reschedule({ ...drill, when: today });
    const [started] = machine.commandCalls(StartExecutionCommand).map(({ args }) => args[0].input);
    expect(started?.name).toMatch(/^orders-drill-/);
    expect(JSON.parse(String(started?.input))).toEqual({
      secretArn,
      tagsHash: drill.tagsHash,
      when: next,
      purpose: 'drill',
    });
    expect(await reschedule({ ...run, when: today })).toMatchObject({ outcome: 'superseded' });
  });

  test('leaves a run that is more than 340 days away to a scan', async () => {
    expect(await reschedule(run)).toMatchObject({ outcome: 'later', next: '2035-11-23T08:00:00Z', timezone: 'UTC' });
    expect(machine.commandCalls(StartExecutionCommand)).toEqual([]);
  });

  test('succeeds if that execution already exists', async () => {
    machine.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
    expect(await reschedule({ ...run, when: today })).toMatchObject({ outcome: 'closed' });
  });

  test.each([
    ['retagged', { ARN: secretArn, Tags: [{ Key: 'autodump:start-schedule', Value: '0 9 * * *' }] }],
    ['untagged', { ARN: secretArn, Tags: [] }],
    ['marked for deletion', { ARN: secretArn, Tags, DeletedDate: new Date() }],
  ])('starts nothing for a secret that was %s in the meantime', async (_, secret) => {
    secrets.on(DescribeSecretCommand).resolves(secret);
    expect(await reschedule(run)).toMatchObject({ outcome: 'superseded' });
    expect(machine.commandCalls(StartExecutionCommand)).toEqual([]);
  });

  test('fails if the next execution cannot be started', async () => {
    machine.on(StartExecutionCommand).rejects(new Error('not authorized'));
    await expect(reschedule({ ...run, when: today })).rejects.toThrow('not authorized');
  });
});
