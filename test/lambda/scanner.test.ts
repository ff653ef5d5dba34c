import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  DescribeSecretCommand,
  ListSecretsCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { handler, ScanFailed } from '../../lambda/scanner.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const secrets = mockClient(SecretsManagerClient);
const machine = mockClient(SFNClient);
const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

const arn = (name: string) => `arn:aws:secretsmanager:us-west-2:123456789012:secret:${name}-a1B2c3`;
const tagged = (name: string, schedule = '0 8 * * *') => ({
  ARN: arn(name),
  Name: name,
  Tags: [{ Key: 'autodump:start-schedule', Value: schedule }],
});
const tagEvent = (secretId: string) => ({ detail: { eventName: 'TagResource', requestParameters: { secretId } } });
const started = () =>
  machine.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => {
    const { secretArn } = JSON.parse(String(input.input)) as { secretArn: string };
    return secretArn;
  });

beforeEach(() => {
  process.env.STATE_MACHINE_ARN = MACHINE;
  secrets.reset();
  machine.reset();
  secrets.on(ListSecretsCommand).resolves({ SecretList: [] });
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
});
afterAll(() => {
  log.mockRestore();
});

describe('a scan', () => {
  test('starts the next run of every tagged secret, through empty pages to the last one', async () => {
    secrets
      .on(ListSecretsCommand)
      .resolvesOnce({ SecretList: [tagged('a'), tagged('b')], NextToken: '1' })
      .resolvesOnce({ SecretList: [], NextToken: '2' })
      .resolvesOnce({ SecretList: [tagged('c')] });
    const findings = await handler({});
    expect(findings.map(({ secret, outcome }) => [secret, outcome])).toEqual([
      ['a', 'started'],
      ['b', 'started'],
      ['c', 'started'],
    ]);
    expect(started()).toEqual([arn('a'), arn('b'), arn('c')]);
    // The paginator reuses its request, so that every call shows the last token.
    expect(secrets.commandCalls(ListSecretsCommand).map(({ args: [{ input }] }) => input)).toEqual(
      Array(3).fill({
        Filters: [{ Key: 'tag-key', Values: ['autodump:start-schedule'] }],
        MaxResults: 100,
        NextToken: '2',
      }),
    );
  });

  test('names the execution after its input, on the machine of the environment', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('orders')] });
    await handler({});
    const input = machine.commandCalls(StartExecutionCommand)[0]?.args[0].input;
    expect(input?.stateMachineArn).toBe(MACHINE);
    expect(input?.name).toMatch(/^orders-\d{8}T080000Z-[0-9a-f]{24}$/);
    expect(JSON.parse(String(input?.input))).toEqual({
      secretArn: arn('orders'),
      tagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
      when: expect.stringMatching(/^\d{4}-\d\d-\d\dT08:00:00Z$/),
    });
  });

  test('takes the secret that the event names first and fresh, whatever the listing says of it', async () => {
    secrets.on(DescribeSecretCommand, { SecretId: 'late' }).resolves(tagged('late', '0 9 * * *'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a'), tagged('late', '0 8 * * *')] });
    const findings = await handler(tagEvent('late'));
    expect(findings.map(({ secret, when }) => [secret, when?.slice(11)])).toEqual([
      ['late', '09:00:00Z'],
      ['a', '08:00:00Z'],
    ]);
  });

  test('goes on if the secret that the event names is gone', async () => {
    secrets.on(DescribeSecretCommand).rejects(new ResourceNotFoundException({ message: 'gone', $metadata: {} }));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a')] });
    expect(await handler(tagEvent('gone'))).toMatchObject([
      { secret: 'gone', outcome: 'skipped' },
      { secret: 'a', outcome: 'started' },
    ]);
  });

  test('reports what already waits, is skipped, or is too far away', async () => {
    machine
      .on(StartExecutionCommand)
      .resolvesOnce({ executionArn: 'x', startDate: new Date('2026-01-01') })
      .rejectsOnce(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
    secrets.on(ListSecretsCommand).resolves({
      SecretList: [
        tagged('waiting'),
        tagged('closed'),
        { ...tagged('replica'), PrimaryRegion: 'eu-west-1' },
        { ...tagged('similar'), Tags: [{ Key: 'autodump:start-schedule-x', Value: '0 8 * * *' }] },
      ],
    });
    expect((await handler({})).map(({ secret, outcome }) => [secret, outcome])).toEqual([
      ['waiting', 'waiting'],
      ['closed', 'waiting'],
      ['replica', 'skipped'],
      ['similar', 'skipped'],
    ]);
  });

  test('handles all others and then fails, naming each secret that it could not handle', async () => {
    secrets.on(DescribeSecretCommand).rejects(new Error('throttled'));
    secrets
      .on(ListSecretsCommand)
      .resolves({ SecretList: [tagged('broken', 'x'), tagged('a'), tagged('denied'), tagged('b')] });
    machine.on(StartExecutionCommand).callsFake(({ name }: { name: string }) => {
      if (name.startsWith('denied')) {
        throw new Error('not authorized');
      }
      return { executionArn: 'x', startDate: new Date() };
    });
    const scan = handler(tagEvent('named'));
    await expect(scan).rejects.toThrow(ScanFailed);
    await expect(scan).rejects.toThrow(
      /3 secret.*\nnamed: .*throttled\nbroken: .*1 fields.*\ndenied: .*not authorized/s,
    );
    expect(started()).toEqual(expect.arrayContaining([arn('a'), arn('b')]));
  });

  test('fails if it cannot list', async () => {
    secrets.on(ListSecretsCommand).rejects(new Error('AccessDenied'));
    await expect(handler({})).rejects.toThrow('AccessDenied');
  });

  test('never has more than ten executions being started', async () => {
    let [now, most] = [0, 0];
    secrets.on(ListSecretsCommand).resolves({ SecretList: Array.from({ length: 50 }, (_, i) => tagged(`s${i}`)) });
    machine.on(StartExecutionCommand).callsFake(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return { executionArn: 'x', startDate: new Date() };
    });
    await handler({});
    expect(most).toBe(10);
  });
});
