import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsClients, openClients } from '../../../../local/services/aws-clients.ts';
import { sessionOf } from '../../../../local/services/iam/iam.ts';
import { synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { AppWorld } from '../../support/app-world.ts';
import { roleArn } from './lifecycle.ts';

const DUMP = 'db/postgres.dmp';
const BESIDE = [`${DUMP}.json`, `${DUMP}.drill-20261129T080000Z.json`];
const OTHER = 'outside-the-stack';

let folder: string;
let app: AppWorld;
let Bucket: string;
let job: AwsClients;
let scanner: AwsClients;
let freshness: AwsClients;
let tagged: string;
let untagged: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const cdkOut = await synthesizedAppWithOptions();
  const nowhere = { host: 'nowhere.test', port: 1, user: 'x', password: 'x' };
  app = await AppWorld.start(cdkOut, folder, nowhere);
  Bucket = app.bucket;
  job = openClients(sessionOf(roleArn(cdkOut, 'DumpJob/JobRole'), 'task'), app.world.endpoints);
  scanner = openClients(sessionOf(roleArn(cdkOut, 'Scanner/FunctionRole'), 'fn'), app.world.endpoints);
  freshness = openClients(sessionOf(roleArn(cdkOut, 'Freshness/FunctionRole'), 'fn'), app.world.endpoints);
  tagged = await app.createSecret('tagged');
  untagged = await app.createSecret('untagged', { Tags: [{ Key: 'autodump:start', Value: '@daily' }] });
  await app.world.s3.send(new CreateBucketCommand({ Bucket: OTHER }));
  await app.world.s3.send(new PutObjectCommand({ Bucket, Key: DUMP, Body: 'the dump', IfNoneMatch: '*' }));
  for (const Key of BESIDE) {
    await app.world.s3.send(new PutObjectCommand({ Bucket, Key, Body: '{}', IfNoneMatch: '*' }));
  }
});

afterAll(async () => {
  for (const { s3, secretsManager } of [job, scanner, freshness]) {
    s3.destroy();
    secretsManager.destroy();
  }
  await app.world.stop();
  await rm(folder, { recursive: true });
});

const noIdentityPolicy = (role: string, action: string, resource: string): string =>
  `User: arn:aws:sts::123456789012:assumed-role/AutoDump-${role} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

describe('the value of a secret', () => {
  const read = (client: SecretsManagerClient, SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));

  test('can be read by the job if the secret has the tag', async () => {
    expect(await read(job.secretsManager, tagged)).toMatchObject({ ARN: tagged });
  });

  test('cannot be read by the job otherwise, even if the secret has a tag with a prefix of the name', async () => {
    await expect(read(job.secretsManager, untagged)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: noIdentityPolicy('DumpJob-JobRole/task', 'secretsmanager:GetSecretValue', untagged),
    });
  });

  test.each<[string, () => AwsClients, string]>([
    ['scanner', () => scanner, 'Scanner'],
    ['check for overdue dumps', () => freshness, 'Freshness'],
  ])('cannot be read by the %s', async (_, clients, part) => {
    await expect(read(clients().secretsManager, tagged)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: noIdentityPolicy(`${part}-FunctionRole/fn`, 'secretsmanager:GetSecretValue', tagged),
    });
  });
});

describe('a dump', () => {
  test('can be created by the job, but not if it exists', async () => {
    const put = (Key: string) => job.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', IfNoneMatch: '*' }));
    await put('db/new.dmp');
    await expect(put('db/new.dmp')).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test.each<[string, string, (s3: S3Client) => Promise<unknown>]>([
    ['read', 's3:GetObject', (s3) => s3.send(new GetObjectCommand({ Bucket, Key: DUMP }))],
    ['deleted', 's3:DeleteObject', (s3) => s3.send(new DeleteObjectCommand({ Bucket, Key: DUMP }))],
  ])('cannot be %s by the job', async (_, action, attempt) => {
    await expect(attempt(job.s3)).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
      message: noIdentityPolicy('DumpJob-JobRole/task', action, `"arn:aws:s3:::${Bucket}/${DUMP}"`),
    });
  });

  test('can be listed, but not read, by the check for overdue dumps, which may read what is beside it', async () => {
    const { Contents = [] } = await freshness.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map(({ Key }) => Key)).toContain(DUMP);
    await expect(freshness.s3.send(new GetObjectCommand({ Bucket, Key: DUMP }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: noIdentityPolicy('Freshness-FunctionRole/fn', 's3:GetObject', `"arn:aws:s3:::${Bucket}/${DUMP}"`),
    });
    for (const Key of BESIDE) {
      const { Body } = await freshness.s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(await Body?.transformToString()).toBe('{}');
    }
  });

  test('cannot be checked for by the job', async () => {
    const head = new HeadObjectCommand({ Bucket, Key: DUMP });
    await expect(job.s3.send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });

  test('cannot be overwritten by the job, in one request or in parts', async () => {
    const denied = {
      name: 'AccessDenied',
      message: expect.stringContaining(
        `is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::${Bucket}/${DUMP}" with an explicit deny in an identity-based policy`,
      ),
    };
    const target = { Bucket, Key: DUMP };
    await expect(job.s3.send(new PutObjectCommand({ ...target, Body: 'x' }))).rejects.toMatchObject(denied);
    const { UploadId } = await job.s3.send(new CreateMultipartUploadCommand(target));
    const { ETag } = await job.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const complete = new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload });
    await expect(job.s3.send(complete)).rejects.toMatchObject(denied);
    const { Body } = await app.world.s3.send(new GetObjectCommand(target));
    expect(await Body?.transformToString()).toBe('the dump');
  });

  test('cannot be overwritten by an administrator either', async () => {
    const put = new PutObjectCommand({ Bucket, Key: DUMP, Body: 'x' });
    await expect(app.world.s3.send(put)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    });
  });

  test('cannot be written to another bucket, or listed there', async () => {
    const put = new PutObjectCommand({ Bucket: OTHER, Key: DUMP, Body: 'x', IfNoneMatch: '*' });
    await expect(job.s3.send(put)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: noIdentityPolicy('DumpJob-JobRole/task', 's3:PutObject', `"arn:aws:s3:::${OTHER}/${DUMP}"`),
    });
    const list = new ListObjectsV2Command({ Bucket: OTHER });
    await expect(job.s3.send(list)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

test('only those who may list a bucket learn that an object is missing', async () => {
  const get = new GetObjectCommand({ Bucket, Key: 'missing' });
  await expect(app.world.s3.send(get)).rejects.toMatchObject({ name: 'NoSuchKey' });
  await expect(scanner.s3.send(get)).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('keys that were not issued are rejected', async () => {
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' };
  const s3 = new S3Client({
    credentials,
    region: 'us-west-2',
    endpoint: app.world.endpoints.s3,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  s3.destroy();
});

test('every denied call is counted and traced', () => {
  const { denied } = app.world.iam.permissions;
  expect(denied).toBeGreaterThan(0);
  // The administrator's calls are traced too, but not counted as the stack's.
  const traced = app.events.filter(({ kind }) => kind === 'call denied');
  expect(traced).toHaveLength(denied + 1);
});
