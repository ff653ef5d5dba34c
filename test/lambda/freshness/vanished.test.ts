import { ListObjectsV2Command, PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import { ListSecretsCommand, type Tag } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { PublishCommand } from '@aws-sdk/client-sns';
import { beforeEach, expect, jest, test } from '@jest/globals';
import type { SecretStatus } from '../../../contract.ts';
import { handler } from '../../../lambda/freshness.ts';
import { HOUR, useServicesOfFreshness } from '../support/services-of-freshness.ts';

const { secrets, s3, sns, stepFunctions, objects, storedStatus } = useServicesOfFreshness();

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3';

function tagWith(...more: readonly Tag[]): void {
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }, ...more];
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 'a', Tags }] });
}

/** Checks on the next day, whose dump has this many rows. @returns the status of its secret */
async function dayWith(provenRows: number): Promise<SecretStatus | undefined> {
  jest.setSystemTime(Date.now() + 24 * HOUR);
  tagWith();
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const Key = `a/app-${day}T000000Z.dmp`;
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key, Size: 7 }] });
  objects.set(`${Key}.json`, manifestOf(provenRows));
  await handler();
  return storedStatus().secrets[0];
}

function manifestOf(provenRows: number): string {
  return JSON.stringify({
    manifestVersion: 1,
    source: { host: 'a.example.com', database: 'app' },
    seconds: null,
    tables: [{ schema: 'public', name: 'orders', rows: null, provenRows }],
  });
}

beforeEach(() => {
  // A dump is looked for two hours after its time.
  jest.setSystemTime(Date.now() + 2 * HOUR);
  s3.on(PutObjectTaggingCommand).resolves({});
  stepFunctions.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'none', $metadata: {} }));
});

const EARLIER = { bucket: 'dumps', key: 'a/app-20261121T000000Z.dmp' };

const ALLOWED = { Key: 'autodump:vanished', Value: 'public.orders=off' };

test('rows that vanished are reported once, and are in the status until they are back', async () => {
  expect(await dayWith(100)).toMatchObject({ state: 'fresh' });
  const table = { table: 'public.orders', before: 100, since: '2026-11-22T00:00:00Z', earlier: EARLIER };
  for (const after of [3, 4]) {
    expect(await dayWith(after)).toMatchObject({
      state: 'rows vanished',
      vanished: { tables: [{ ...table, after }], more: 0 },
    });
  }
  const back = await dayWith(100);
  expect([back?.state, back?.vanished]).toEqual(['fresh', undefined]);
  const messages = sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Subject);
  expect(messages).toEqual(['AutoDump: rows vanished: a']);
});

test('rows that vanished leave the status for good with the first check by which the tag allows it', async () => {
  await dayWith(100);
  expect(await dayWith(3)).toMatchObject({ state: 'rows vanished' });
  jest.setSystemTime(Date.now() + HOUR);
  tagWith(ALLOWED);
  await handler();
  expect(storedStatus().secrets).toMatchObject([{ state: 'fresh' }]);
  tagWith();
  await handler();
  expect(storedStatus().secrets).toMatchObject([{ state: 'fresh' }]);
});
