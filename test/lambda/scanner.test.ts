import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, ListSecretsCommand, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import { ExecutionAlreadyExists, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ScanFailed } from '../../lambda/core/scan-failed.ts';
import type { ScanResult } from '../../lambda/scanner/scan-secret.ts';
import { handler } from '../../lambda/scanner.ts';
import {
  arn,
  functions,
  keepMemo,
  MACHINE,
  machine,
  objects,
  resetServices,
  secrets,
  setMemo,
  startedOf,
  startsOf,
  tagEvent,
  tagged,
} from './support/scanner-services.ts';

const results: ScanResult[] = [];
const { now } = Date;
const clock = jest.spyOn(Date, 'now');
const log = jest.spyOn(console, 'info').mockImplementation((result) => {
  if ('outcome' in (result as object)) {
    results.push(result as ScanResult);
  }
});

/** The requests to start runs; others start checks. */
const starts = () => startsOf(MACHINE);
const started = () => startedOf(MACHINE);

beforeEach(() => {
  resetServices();
  results.length = 0;
});
afterAll(() => {
  log.mockRestore();
});

describe('a scan', () => {
  test('starts the next run of every tagged secret, on all pages, including empty ones', async () => {
    secrets
      .on(ListSecretsCommand)
      .resolvesOnce({ SecretList: [tagged('a'), tagged('b')], NextToken: '1' })
      .resolvesOnce({ SecretList: [], NextToken: '2' })
      .resolvesOnce({ SecretList: [tagged('c')] });
    const summary = await handler({});
    expect(summary).toEqual({ secrets: { started: 3, waiting: 0, closed: 0, later: 0, skipped: 0, failed: 0 } });
    expect(log).toHaveBeenCalledWith({ timezoneRules: process.versions.tz });
    expect(results.map(({ secret, outcome }) => [secret, outcome])).toEqual([
      ['a', 'started'],
      ['b', 'started'],
      ['c', 'started'],
    ]);
    expect(started()).toEqual([arn('a'), arn('b'), arn('c')]);
    expect(secrets.commandCalls(ListSecretsCommand).map(({ args: [{ input }] }) => input)).toEqual(
      [undefined, '1', '2'].map((NextToken) => ({
        Filters: [{ Key: 'tag-key', Values: ['autodump:'] }],
        MaxResults: 100,
        NextToken,
      })),
    );
  });

  test('names the execution after its input, on the state machine of the environment', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('orders')] });
    await handler({});
    const [input] = starts();
    expect(input?.name).toMatch(/^orders-\d{8}T080000Z-[0-9a-f]{24}$/);
    expect(JSON.parse(String(input?.input))).toEqual({
      secretArn: arn('orders'),
      tagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
      when: expect.stringMatching(/^\d{4}-\d\d-\d\dT08:00:00Z$/),
    });
  });

  test('reports runs that already wait or were stopped, and secrets that are skipped', async () => {
    machine
      .on(StartExecutionCommand, { stateMachineArn: MACHINE })
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
    await handler({});
    expect(results.map(({ secret, outcome }) => [secret, outcome])).toEqual([
      ['waiting', 'waiting'],
      ['closed', 'closed'],
      ['replica', 'skipped'],
      ['similar', 'skipped'],
    ]);
  });

  test('handles all other secrets and then fails, naming each that it could not handle', async () => {
    secrets
      .on(ListSecretsCommand)
      .resolves({ SecretList: [tagged('broken', 'x'), tagged('a'), tagged('denied'), tagged('b')] });
    machine.on(StartExecutionCommand).callsFake(({ name }: { name: string }) => {
      if (name.startsWith('denied')) {
        throw new Error('not authorized');
      }
      return { executionArn: 'x', startDate: new Date() };
    });
    const scan = handler({});
    await expect(scan).rejects.toThrow(ScanFailed);
    await expect(scan).rejects.toThrow(/2 problem.*\nbroken: .*1 field:.*\ndenied: .*not authorized/s);
    expect(started()).toEqual(expect.arrayContaining([arn('a'), arn('b')]));
  });

  test('fails if it cannot list the secrets', async () => {
    secrets.on(ListSecretsCommand).rejects(new Error('AccessDenied'));
    await expect(handler({})).rejects.toThrow('AccessDenied');
  });

  test('never starts more than ten executions concurrently', async () => {
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

  test('names at most fifty of the secrets that it could not handle, and says how many more there are', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: Array.from({ length: 60 }, (_, i) => tagged(`s${i}`, 'x')) });
    await expect(handler({})).rejects.toThrow(/^60 problem.*… and 10 more/s);
  });
});

describe('an event that names a secret', () => {
  test('scans only that one, as DescribeSecret returns it', async () => {
    secrets.on(DescribeSecretCommand, { SecretId: 'late' }).resolves(tagged('late', '0 9 * * *'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a'), tagged('late', '0 8 * * *')] });
    await handler(tagEvent('late'));
    expect(results.map(({ secret, when }) => [secret, when?.slice(11)])).toEqual([['late', '09:00:00Z']]);
    expect(secrets.calls()).toHaveLength(1);
    expect([...objects.calls(), ...functions.calls()]).toEqual([]);
    expect(started()).toHaveLength(1);
  });

  test('returns the result for it', async () => {
    secrets.on(DescribeSecretCommand, { SecretId: 'leap' }).resolves(tagged('leap', '0 0 29 2 *'));
    const reason = expect.stringContaining('too far away');
    expect(await handler(tagEvent('leap'))).toMatchObject({ named: [{ secret: 'leap', outcome: 'later', reason }] });
  });

  test('which no longer exists, or is of another account, succeeds', async () => {
    secrets.on(DescribeSecretCommand).rejects(new ResourceNotFoundException({ message: 'gone', $metadata: {} }));
    await handler(tagEvent('gone'));
    await handler(tagEvent(arn('theirs').replace('123456789012', '210987654321')));
    expect(results.map(({ reason }) => reason)).toEqual(['It no longer exists.', 'It belongs to another account.']);
  });

  test.each([
    ['cannot be described', () => Promise.reject(new Error('throttled')), 'bad: Error: throttled'],
    ['has an invalid tag', () => Promise.resolve(tagged('bad', 'x')), 'bad: schedule "x" has 1 field:'],
  ])('which %s, fails with the reason', async (_, described, reason) => {
    secrets.on(DescribeSecretCommand).callsFake(described);
    await expect(handler(tagEvent('bad'))).rejects.toThrow(reason);
  });
});

describe('the memo', () => {
  const far = '0 0 1 1 *';

  test('reduces the calls of the next scan to one for each page and two for itself', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a', far), tagged('b', far)] });
    await handler({});
    keepMemo();
    machine.resetHistory();
    objects.resetHistory();
    expect(await handler({})).toMatchObject({ secrets: { started: 0, waiting: 2 } });
    expect(machine.calls()).toEqual([]);
    expect(objects.calls()).toHaveLength(2);
  });

  test('does not record a run that was stopped, whose name may become available again', async () => {
    machine.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a', far)] });
    await handler({});
    keepMemo();
    expect(await handler({})).toMatchObject({ secrets: { closed: 1, waiting: 0 } });
    expect(started()).toEqual([arn('a'), arn('a')]);
  });

  test('does not record a run that could not be started', async () => {
    machine.on(StartExecutionCommand).rejects(new Error('throttled'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a', far)] });
    await expect(handler({})).rejects.toThrow('throttled');
    keepMemo();
    await expect(handler({})).rejects.toThrow('throttled');
  });

  test('is complemented by the running executions that were started since it was written', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a', far), tagged('b', far)] });
    await handler({});
    const [a, b] = starts().map(({ name }) => name);
    const execution = (name: string | undefined, startDate: Date) => ({
      name,
      startDate,
      executionArn: 'x',
      stateMachineArn: MACHINE,
      status: 'RUNNING' as const,
    });
    machine.reset();
    machine
      .on(ListExecutionsCommand)
      .resolvesOnce({ executions: [execution(a, new Date(2000))], nextToken: 'next' })
      .resolvesOnce({ executions: [execution(b, new Date(1000))] });
    expect(await handler({})).toMatchObject({ secrets: { started: 0, waiting: 2 } });
    expect(machine.commandCalls(ListExecutionsCommand).map(({ args: [{ input }] }) => input)).toEqual(
      [undefined, 'next'].map((nextToken) => ({
        stateMachineArn: MACHINE,
        statusFilter: 'RUNNING',
        maxResults: 1000,
        nextToken,
      })),
    );
    expect(objects.commandCalls(PutObjectCommand)).toHaveLength(2);
  });

  test('an hour old, ends the listing at the first page that reaches back that far', async () => {
    const asOf = Date.now() / 1000 - 3600;
    const { tz: timezoneRules } = process.versions;
    const Body = JSON.stringify({ version: 1, stateMachineArn: MACHINE, timezoneRules, asOf, runs: {} });
    setMemo(Body);
    const older = { startDate: new Date(0), executionArn: 'x', stateMachineArn: MACHINE, name: 'x' };
    machine.on(ListExecutionsCommand).resolves({ executions: [{ ...older, status: 'RUNNING' }], nextToken: 'next' });
    await handler({});
    expect(machine.commandCalls(ListExecutionsCommand)).toHaveLength(1);
  });

  test('is used without the executions if they cannot be listed, and the scan fails after all secrets are done', async () => {
    machine.on(ListExecutionsCommand).rejects(new Error('AccessDenied'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a')] });
    await expect(handler({})).rejects.toThrow('list of running executions: Error: AccessDenied');
    expect(started()).toEqual([arn('a')]);
  });

  test('which cannot be read, fails the scan after all secrets are done', async () => {
    objects.on(GetObjectCommand).rejects(new Error('AccessDenied'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a')] });
    await expect(handler({})).rejects.toThrow('memo of started runs: Error: AccessDenied');
    expect(started()).toEqual([arn('a')]);
  });

  test('which cannot be stored, fails the scan', async () => {
    objects.on(PutObjectCommand).rejects(new Error('AccessDenied'));
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a')] });
    await expect(handler({})).rejects.toThrow('memo of started runs: Error: AccessDenied');
  });
});

describe('a scan that is too long for one invocation', () => {
  beforeEach(() => {
    clock.mockReturnValueOnce(0);
    functions.on(InvokeCommand).resolves({ StatusCode: 202 });
  });
  afterEach(() => {
    clock.mockReset().mockImplementation(now);
  });
  const sent = () => {
    const { FunctionName, InvocationType, Payload } = functions.commandCalls(InvokeCommand)[0]?.args[0].input ?? {};
    return { FunctionName, InvocationType, event: JSON.parse(Payload as string) as unknown };
  };

  test('stores its memo and continues where it stopped, in another invocation', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('a'), tagged('broken', 'x')], NextToken: 'there' });
    await handler({});
    expect(objects.commandCalls(PutObjectCommand)).toHaveLength(1);
    expect(sent()).toEqual({
      FunctionName: 'scanner',
      InvocationType: 'Event',
      event: { continuation: { leg: 2, nextToken: 'there', failed: 1, reasons: [expect.stringContaining('broken')] } },
    });
  });

  test('fails after too many invocations', async () => {
    secrets.on(ListSecretsCommand).resolves({ SecretList: [], NextToken: 'there' });
    const continuation = { leg: 12, nextToken: 'here', failed: 0, reasons: [] };
    await expect(handler({ continuation })).rejects.toThrow('secrets were left out');
    expect(functions.calls()).toEqual([]);
  });

  test('reports in its last invocation the failures of all of them', async () => {
    clock.mockReset().mockImplementation(now);
    secrets.on(ListSecretsCommand).resolves({ SecretList: [tagged('b')] });
    const continuation = { leg: 2, nextToken: 'there', failed: 1, reasons: ['broken: no schedule'] };
    await expect(handler({ continuation })).rejects.toThrow('broken: no schedule');
    expect(started()).toEqual([arn('b')]);
    expect(secrets.commandCalls(ListSecretsCommand)[0]?.args[0].input.NextToken).toBe('there');
  });
});
