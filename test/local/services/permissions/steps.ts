import {
  CreateBucketCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { Template } from '../../../../local/assembly/template.ts';
import { ACCOUNT } from '../../../../local/assembly/account.ts';
import type { PostgresServer } from '../../../../local/postgres/server.ts';
import { ADMINISTRATOR } from '../../../../local/services/iam/decision.ts';
import { type DecidedCall, sessionOf } from '../../../../local/services/iam/iam.ts';
import { openClients, type World } from '../../../../local/services/world.ts';
import { AppWorld, changed, ELSEWHERE, KEY } from '../../support/app-world.ts';
import { query } from '../../support/database.ts';

/** What happens in the life of the stack, with the calls that were decided meanwhile. */
export type Steps = ReadonlyMap<string, readonly DecidedCall[]>;

/** Lives through everything that takes a permission, or is refused for the want of one. */
export async function liveThrough(cdkOut: string, folder: string, server: PostgresServer): Promise<Steps> {
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world } = app;
  const steps = new Map<string, readonly DecidedCall[]>([['the stack comes up', world.iam.calls.slice()]]);
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const before = world.iam.calls.length;
    await work();
    steps.set(name, world.iam.calls.slice(before));
  };
  try {
    await world.s3.send(new CreateBucketCommand({ Bucket: ELSEWHERE }));
    await step('the stack was deployed', () => {
      world.deployed();
      return world.settled();
    });
    await step('the hour strikes', () => {
      world.strike();
      return world.settled();
    });
    let secret = '';
    await step('a secret is tagged', async () => (secret = await app.createSecret('db', { KmsKeyId: KEY })));
    await step('its time comes', () => app.timeComes(secret));
    await step('its dump is read', () => readDump(cdkOut, world, app.bucket));
    await step('its dump is restored', () => restoreDump(app, server));
    await step('a dump that is not there is restored', () => missDump(app));
    await step('a run is stopped', () => stopRun(app, secret, server));
    await step('a dump is replaced', () => replaceDumps(cdkOut, world, app.bucket));
    const Tags = [{ Key: 'autodump:start-schedule', Value: 'every day' }];
    await step('a scan fails', () => app.createSecret('odd', { Tags }));
  } finally {
    await world.stop();
  }
  steps.set('an event can not be delivered', await undeliverable(cdkOut, folder, server));
  return steps
    .set('a scan goes on', goingOn(cdkOut))
    .set('an alarm goes off', alarms(cdkOut))
    .set('TLS is missing or old', insecure(cdkOut));
}

async function readDump(cdkOut: string, { endpoints }: World, Bucket: string): Promise<void> {
  const template = new Template(cdkOut);
  const [user] = template.ofType('AWS::IAM::User');
  if (user === undefined) {
    throw new Error('The stack has no user that may read.');
  }
  const { s3 } = openClients(template.arnOf(user), endpoints);
  await s3.send(new GetBucketLocationCommand({ Bucket }));
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: Contents[0]?.Key }));
  await Body?.transformToByteArray();
  s3.destroy();
}

/** The job is to tell that the dump is not there, which takes more than to be refused. */
async function missDump(app: AppWorld): Promise<void> {
  const target = await app.createSecret('nowhere', { Tags: [{ Key: 'autodump:restore-target', Value: '' }] });
  const [restored] = await Promise.allSettled([submitRestore(app, `s3://${app.bucket}/missing.dmp`, target)]);
  if (restored.status === 'fulfilled') {
    throw new Error('A dump that is not there was restored.');
  }
}

function submitRestore(app: AppWorld, dump: string, target: string): Promise<unknown> {
  return app.world.submitJob({
    JobName: 'restore',
    JobDefinition: 'AutoDump-restore',
    JobQueue: 'AutoDump-restore',
    ContainerOverrides: { Command: ['restore', dump, '--to', target] },
  });
}

/** Restores the first dump into a new database, by a job that the administrator submits. */
async function restoreDump(app: AppWorld, server: PostgresServer): Promise<void> {
  const { s3 } = app.world;
  await query(server, 'postgres', 'create database restored template template0');
  const { host, port, user, password } = server;
  const value = { engine: 'postgres', host, port, username: user, password, dbname: 'restored' };
  const target = await app.createSecret('restored', {
    SecretString: JSON.stringify(value),
    Tags: [{ Key: 'autodump:restore-target', Value: '' }],
    KmsKeyId: KEY,
  });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: app.bucket }));
  const dump = `s3://${app.bucket}/${Contents[0]?.Key ?? ''}`;
  await submitRestore(app, dump, target);
}

/** Brings the next run of a secret as far as its dump, which then waits for a lock, and stops it there. */
async function stopRun(app: AppWorld, secret: string, server: PostgresServer): Promise<void> {
  const execution = app.waiting(secret);
  const holder = new pg.Client({ ...server, database: 'postgres' });
  await holder.connect();
  try {
    await holder.query('begin; lock table big in access exclusive mode');
    await app.until(
      (it) => it.kind === 'job said' && it.line.startsWith('Database '),
      () => execution.wait?.finish(),
    );
    await app.until(
      ({ kind }) => kind === 'job ended',
      () => app.stopExecution(execution.arn),
    );
  } finally {
    await holder.end();
  }
  await execution.ended;
}

/** In vain: by the administrator, and by the job in a bucket that is not the stack's. */
async function replaceDumps(cdkOut: string, { endpoints }: World, bucket: string): Promise<void> {
  const job = openClients(jobSession(cdkOut), endpoints).s3;
  const administrator = openClients(ADMINISTRATOR, endpoints).s3;
  const attempts = [
    administrator.send(new PutObjectCommand({ Bucket: bucket, Key: 'db/dump', Body: 'x' })),
    job.send(new PutObjectCommand({ Bucket: ELSEWHERE, Key: 'db/dump', Body: 'x' })),
  ];
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === 'fulfilled') {
      throw new Error('An object could be replaced.');
    }
  }
  for (const client of [job, administrator]) {
    client.destroy();
  }
}

/** A session of the job's role. */
export function jobSession(cdkOut: string): string {
  return sessionOf(roleArn(cdkOut, 'DumpJob/JobRole'), 'task');
}

export function roleArn(cdkOut: string, title: string): string {
  const template = new Template(cdkOut);
  const role = template.ofType('AWS::IAM::Role').find((resource) => resource.title === title);
  if (role === undefined) {
    throw new Error(`The stack has no role ${title}.`);
  }
  return template.arnOf(role);
}

/** No rule may invoke its target. */
async function undeliverable(cdkOut: string, folder: string, server: PostgresServer): Promise<readonly DecidedCall[]> {
  const without = await changed(cdkOut, folder, ({ Resources }) => ({
    Resources: Object.fromEntries(
      Object.entries(Resources).filter(([, { Type }]) => Type !== 'AWS::Lambda::Permission'),
    ),
  }));
  const app = await AppWorld.start(without, folder, server);
  try {
    app.world.deployed();
    app.world.strike();
    await app.createSecret('db');
    return app.world.iam.calls.filter(({ action }) => action === 'sqs:SendMessage');
  } finally {
    await app.world.stop();
  }
}

/** What a scan does that is too long for one invocation, which would take a quarter of an hour here. */
function goingOn(cdkOut: string): readonly DecidedCall[] {
  const scanner = new Template(cdkOut)
    .ofType('AWS::Lambda::Function')
    .find(({ title }) => title === 'Scanner/Function');
  if (scanner === undefined) {
    throw new Error('The stack has no Scanner.');
  }
  const resource = new Template(cdkOut).arnOf(scanner);
  const principal = sessionOf(roleArn(cdkOut, 'Scanner/FunctionRole'), 'scanner');
  return [{ principal, action: 'lambda:InvokeFunction', resource, allowed: true }];
}

/** What CloudWatch would do. It is not played: no metrics are kept. */
function alarms(cdkOut: string): readonly DecidedCall[] {
  const [topic] = topics(cdkOut);
  const sourceArn = `arn:aws:cloudwatch:us-west-2:${ACCOUNT}:alarm:any`;
  return [
    {
      principal: 'cloudwatch.amazonaws.com',
      action: 'sns:Publish',
      resource: topic ?? '',
      context: { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT },
      allowed: true,
    },
  ];
}

/** Calls that can't be made here: what goes over loopback is taken for TLS. */
function insecure(cdkOut: string): readonly DecidedCall[] {
  const template = new Template(cdkOut);
  const queues = template.ofType('AWS::SQS::Queue').map((queue) => template.arnOf(queue));
  const buckets = template.ofType('AWS::S3::Bucket').map((bucket) => template.arnOf(bucket));
  const plain = { 'aws:SecureTransport': 'false' };
  const old = { 's3:TlsVersion': '1.1' };
  return [
    ...buckets.flatMap((resource) => [plain, old].map((context) => ({ action: 's3:ListBucket', resource, context }))),
    ...queues.map((resource) => ({ action: 'sqs:SendMessage', resource, context: plain })),
    ...topics(cdkOut).map((resource) => ({ action: 'sns:Publish', resource, context: plain })),
  ].map((call) => ({ ...call, principal: ADMINISTRATOR, allowed: false }));
}

function topics(cdkOut: string): readonly string[] {
  const template = new Template(cdkOut);
  return template.ofType('AWS::SNS::Topic').map((topic) => template.arnOf(topic));
}
