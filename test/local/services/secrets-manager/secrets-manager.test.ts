import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  paginateListSecrets,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Loopback } from '../../../../local/host/loopback.ts';
import { secretOperations } from '../../../../local/services/operations.ts';
import { credentialsOf } from '../../../../local/services/protocol/credentials.ts';
import { serve } from '../../../../local/services/protocol/json-endpoint.ts';
import { type SecretCall, SecretsManager } from '../../../../local/services/secrets-manager/secrets-manager.ts';

let endpoint: Loopback;
let client: SecretsManagerClient;
let calls: SecretCall[];

beforeEach(async () => {
  calls = [];
  const operations = secretOperations(new SecretsManager((call) => calls.push(call)));
  endpoint = await serve((target) => operations.get(target));
  client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: 'us-west-2',
    credentials: credentialsOf('tester'),
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await endpoint.stop();
});

async function create(Name: string, tags: Readonly<Record<string, string>> = {}): Promise<string> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { ARN = '' } = await client.send(new CreateSecretCommand({ Name, SecretString: `value of ${Name}`, Tags }));
  return ARN;
}

describe('a secret', () => {
  test('is described with its tags, by name and by ARN', async () => {
    const arn = await create('prod/db', { a: '1' });
    expect(arn).toMatch(/^arn:aws:secretsmanager:us-west-2:\d{12}:secret:prod\/db-\w{6}$/);
    for (const SecretId of [arn, 'prod/db']) {
      expect(await client.send(new DescribeSecretCommand({ SecretId }))).toMatchObject({
        ARN: arn,
        Name: 'prod/db',
        PrimaryRegion: 'us-west-2',
        CreatedDate: expect.any(Date),
        Tags: [{ Key: 'a', Value: '1' }],
      });
    }
  });

  test('has its value', async () => {
    const SecretId = await create('x');
    expect(await client.send(new GetSecretValueCommand({ SecretId }))).toMatchObject({
      SecretString: 'value of x',
      VersionStages: ['AWSCURRENT'],
    });
  });

  test('has changed tags', async () => {
    const SecretId = await create('x', { a: '1', b: '2' });
    await client.send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'b', Value: '3' }] }));
    await client.send(new UntagResourceCommand({ SecretId, TagKeys: ['a'] }));
    const { Tags } = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(Tags).toEqual([{ Key: 'b', Value: '3' }]);
  });

  test('has a valid and unique name', async () => {
    await create('x');
    await expect(create('x')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(create('no spaces')).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('has no tag that is longer than on AWS', async () => {
    const tagged = (Key: string, Value: string) =>
      client.send(new CreateSecretCommand({ Name: 'tagged', Tags: [{ Key, Value }] }));
    await expect(tagged('a', 'x'.repeat(257))).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(tagged('a'.repeat(129), 'x')).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(tagged('a'.repeat(128), 'x'.repeat(256))).resolves.toMatchObject({ Name: 'tagged' });
  });

  test('is not found after it was deleted immediately', async () => {
    const SecretId = await create('x');
    await client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    await expect(client.send(new DescribeSecretCommand({ SecretId }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('with a planned deletion can be described, but not used or listed', async () => {
    const SecretId = await create('x', { a: '1' });
    await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    const { DeletedDate } = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(DeletedDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    await expect(client.send(new GetSecretValueCommand({ SecretId }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await expect(create('x')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect((await client.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    const all = await client.send(new ListSecretsCommand({ IncludePlannedDeletion: true }));
    expect(all.SecretList).toHaveLength(1);
  });
});

describe('ListSecrets', () => {
  test('filters by case-sensitive prefixes of tag keys', async () => {
    await create('exact', { 'app:schedule': '1' });
    await create('longer', { 'app:schedule-x': '1' });
    await create('upper', { 'App:schedule': '1' });
    await create('none');
    const { SecretList = [] } = await client.send(
      new ListSecretsCommand({ Filters: [{ Key: 'tag-key', Values: ['app:schedule'] }] }),
    );
    expect(SecretList.map(({ Name }) => Name)).toEqual(['exact', 'longer']);
  });

  test('returns pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await create(name);
    }
    const pages: (string | undefined)[][] = [];
    for await (const { SecretList = [] } of paginateListSecrets({ client, pageSize: 2 }, {})) {
      pages.push(SecretList.map(({ Name }) => Name));
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });
});

test('CloudTrail records changes, without values', async () => {
  const arn = await create('x', { a: 'tag value' });
  await client.send(new TagResourceCommand({ SecretId: 'x', Tags: [{ Key: 'b', Value: 'tag value' }] }));
  await client.send(new UntagResourceCommand({ SecretId: 'x', TagKeys: ['a'] }));
  await client.send(new GetSecretValueCommand({ SecretId: 'x' }));
  await client.send(new DeleteSecretCommand({ SecretId: 'x' }));
  expect(calls).toMatchObject([
    { eventName: 'CreateSecret', requestParameters: { name: 'x' }, responseElements: { arn } },
    { eventName: 'TagResource', requestParameters: { secretId: 'x' }, responseElements: null },
    { eventName: 'UntagResource', requestParameters: { secretId: 'x' }, responseElements: null },
    { eventName: 'DeleteSecret', requestParameters: { secretId: 'x' }, responseElements: { arn } },
  ]);
  expect(JSON.stringify(calls)).not.toContain('value');
});

async function call(headers: Readonly<Record<string, string>>): Promise<unknown> {
  const answer = await fetch(endpoint.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'secretsmanager.RotateSecret', ...headers },
    body: '{}',
  });
  expect(answer.status).toBe(400);
  return answer.json();
}

describe('a request is rejected', () => {
  test('for an unsupported operation, naming it', async () => {
    const authorization = `AWS4-HMAC-SHA256 Credential=${credentialsOf('tester').accessKeyId}/20261122/x`;
    expect(await call({ authorization })).toEqual({
      __type: 'UnknownOperationException',
      message: 'secretsmanager.RotateSecret is not served here.',
    });
  });

  test('without a known key', async () => {
    expect(await call({})).toMatchObject({ __type: 'UnrecognizedClientException' });
  });

  test('with an unsupported field, naming it', async () => {
    await expect(client.send(new CreateSecretCommand({ Name: 'x', KmsKeyId: 'key' }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('KmsKeyId'),
    });
  });
});
