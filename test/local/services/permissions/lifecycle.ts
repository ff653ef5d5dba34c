import { hash } from 'node:crypto';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { type ExecutionInput, FRESHNESS_KEY } from '../../../../contract.ts';
import { dumpKey } from '../../../../docker/plan/key.ts';
import { ACCOUNT } from '../../../../local/assembly/account.ts';
import { Template } from '../../../../local/assembly/template.ts';
import type { PostgresServer } from '../../../../local/postgres/server.ts';
import { openClients } from '../../../../local/services/aws-clients.ts';
import { ADMINISTRATOR } from '../../../../local/services/iam/decision.ts';
import { type DecidedCall, sessionOf } from '../../../../local/services/iam/iam.ts';
import type { World } from '../../../../local/services/world.ts';
import { EXTRA_BUCKET, KEY } from '../../../support/synthesized-app.ts';
import type { AppOnPostgres } from '../../support/app-on-postgres.ts';
import { AppWorld, changed, SCHEDULE_TAG } from '../../support/app-world.ts';
import { query } from '../../support/database.ts';
import { check, makeOverdue, stateBucketOf } from '../../support/overdue.ts';
import { vanish } from '../../support/vanish.ts';
import { drillDump } from './drill-dump.ts';
import { stopCheck, stopRun } from './stopped.ts';

/** The steps of the stack's lifecycle, each with the calls that were authorized or denied in it. */
export type RecordedSteps = ReadonlyMap<string, readonly DecidedCall[]>;

/** Goes through everything that requires a permission, or is denied for the lack of one. */
export async function recordLifecycle({ cdkOut, folder, server }: AppOnPostgres): Promise<RecordedSteps> {
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world } = app;
  const steps = new Map<string, readonly DecidedCall[]>([['the stack is created', world.iam.calls.slice()]]);
  const step = async (name: string, work: () => unknown): Promise<void> => {
    const before = world.iam.calls.length;
    await work();
    await world.settled();
    steps.set(name, world.iam.calls.slice(before));
  };
  try {
    await world.s3.send(new CreateBucketCommand({ Bucket: EXTRA_BUCKET }));
    await step('the deployment is announced', () => {
      world.sendDeploymentEvent();
    });
    await step('the hourly schedule is due', () => {
      world.triggerSchedules();
    });
    let secret = '';
    await step('a secret is tagged', async () => (secret = await app.createSecret('db', { KmsKeyId: KEY })));
    await step('a dump is missing', () => missDump(app, secret));
    await step('its dump is due', () => app.runNow(secret));
    await step('its dump is drilled', () => drillDump(app, secret));
    await step('its manifest is read', () => check(app));
    await step('rows vanish', () => vanish(app, server));
    await step('its dump is read', () => readDump(cdkOut, world, app.bucket));
    await step('its dump is restored', () => restoreDump(app, server));
    await step('a missing dump is restored', () => restoreMissingDump(app));
    await step('databases of RDS are dumped and restored', () => useDatabasesOfRds(app, server));
    await step('an upload is left open', () => leaveUploadOpen(cdkOut, app, secret));
    await step('a run is stopped', () => stopRun(app, secret, server));
    await step('the check of a secret is stopped', () => stopCheck(app));
    await step('a dump is replaced', () => replaceDumps(cdkOut, world, app.bucket));
    await step('a run fails', () => failRun(app));
    await step('a check fails', () => failCheck(app));
    const Tags = [{ Key: SCHEDULE_TAG, Value: 'every day' }];
    await step('a scan fails', () => app.createSecret('broken', { Tags }));
    await step('a message cannot be sent', () => failMessage(app));
  } finally {
    await world.stop();
  }
  steps.set('an event cannot be delivered', await undeliverable(cdkOut, folder, server));
  return steps
    .set('a scan is continued', continuedScan(cdkOut))
    .set('an alarm goes off', alarms(cdkOut))
    .set('TLS is missing or outdated', insecure(cdkOut));
}

/** Checks for overdue dumps, when one is missing. */
async function missDump(app: AppWorld, secret: string): Promise<void> {
  await check(app);
  await makeOverdue(app, secret);
  if ((await check(app)).length !== 1) {
    throw new Error('The missing dump was not reported.');
  }
}

async function failRun(app: AppWorld): Promise<void> {
  await app.runNow(await app.createSecret('closed', { value: { port: 1 } }));
}

/** Has another stopped run reported, when what was reported of its secret before is not readable. */
async function failMessage(app: AppWorld): Promise<void> {
  const { s3, buckets } = app.world;
  const Bucket = buckets.find((name) => name.includes('notify'));
  const secret = await app.createSecret('unreported');
  const Key = `runs/${hash('sha256', secret)}`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'not JSON' }));
  await app.stopExecution(app.waiting(secret).arn);
}

/** Checks for overdue dumps, when the state of the last check is not readable. */
async function failCheck(app: AppWorld): Promise<void> {
  const state = { Bucket: stateBucketOf(app), Key: FRESHNESS_KEY, Body: 'not JSON' };
  await app.world.s3.send(new PutObjectCommand(state));
  await check(app);
}

async function readDump(cdkOut: string, { endpoints }: World, Bucket: string): Promise<void> {
  const template = new Template(cdkOut);
  const [user] = template.ofType('AWS::IAM::User');
  if (user === undefined) {
    throw new Error('The stack has no read-only user.');
  }
  const { s3 } = openClients(template.arnOf(user), endpoints);
  await s3.send(new GetBucketLocationCommand({ Bucket }));
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: Contents[0]?.Key }));
  await Body?.transformToByteArray();
  s3.destroy();
}

/** To report that the dump is missing, the job needs a permission that it does not need otherwise. */
async function restoreMissingDump(app: AppWorld): Promise<void> {
  const target = await app.createSecret('nowhere', { Tags: [{ Key: 'autodump:restore-target', Value: '' }] });
  const [restored] = await Promise.allSettled([submitRestore(app, `s3://${app.bucket}/missing.dmp`, target)]);
  if (restored.status === 'fulfilled') {
    throw new Error('A missing dump was restored.');
  }
}

/** The restores fail, because their targets are not empty, but not before they know where these are. */
async function useDatabasesOfRds(app: AppWorld, server: PostgresServer): Promise<void> {
  const { rds } = app.world;
  for (const kind of ['instance', 'cluster'] as const) {
    const secret = rds.manage({ kind, identifier: 'orders', engine: 'postgres', databaseName: 'restored', ...server });
    await app.tagSecret(secret, { [SCHEDULE_TAG]: '@daily', 'autodump:restore-target': '' });
    await app.runNow(secret);
    const dump = (await app.dumps()).find((file) => file.startsWith('rds!'));
    await Promise.allSettled([submitRestore(app, `s3://${app.bucket}/${dump ?? ''}`, secret)]);
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

/** Restores the first dump into a new database, with a job that the administrator submits. */
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

/** Leaves an upload open at the key of the next dump of a secret, as a killed job would. */
async function leaveUploadOpen(cdkOut: string, app: AppWorld, secret: string): Promise<void> {
  const { when } = JSON.parse(app.waiting(secret).input) as ExecutionInput;
  const { s3 } = openClients(jobSession(cdkOut), app.world.endpoints);
  const Key = dumpKey('db', 'postgres', when);
  await s3.send(new CreateMultipartUploadCommand({ Bucket: app.bucket, Key }));
  s3.destroy();
}

/** Fails: as the administrator, and as the jobs in a bucket outside of the stack. */
async function replaceDumps(cdkOut: string, { endpoints }: World, bucket: string): Promise<void> {
  const job = openClients(jobSession(cdkOut), endpoints).s3;
  const drill = openClients(jobSession(cdkOut, 'DrillJob'), endpoints).s3;
  const administrator = openClients(ADMINISTRATOR, endpoints).s3;
  const attempts = [
    administrator.send(new PutObjectCommand({ Bucket: bucket, Key: 'db/dump', Body: 'x' })),
    job.send(new PutObjectCommand({ Bucket: EXTRA_BUCKET, Key: 'db/dump', Body: 'x' })),
    drill.send(new PutObjectCommand({ Bucket: EXTRA_BUCKET, Key: 'db/1.dmp.drill-1.json', Body: 'x' })),
  ];
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === 'fulfilled') {
      throw new Error('An object was replaced.');
    }
  }
  for (const client of [job, drill, administrator]) {
    client.destroy();
  }
}

/** ARN of a session of the job's role. */
function jobSession(cdkOut: string, job: 'DumpJob' | 'DrillJob' = 'DumpJob'): string {
  return sessionOf(roleArn(cdkOut, `${job}/JobRole`), 'task');
}

export function roleArn(cdkOut: string, title: string): string {
  const template = new Template(cdkOut);
  const role = template.ofType('AWS::IAM::Role').find((resource) => resource.title === title);
  if (role === undefined) {
    throw new Error(`The stack has no role ${title}.`);
  }
  return template.arnOf(role);
}

/** Starts the app without the permissions of rules to invoke their targets or to send to them. */
async function undeliverable(cdkOut: string, folder: string, server: PostgresServer): Promise<readonly DecidedCall[]> {
  const without = await changed(cdkOut, folder, ({ Resources }) => ({
    Resources: Object.fromEntries(
      Object.entries(Resources).filter(
        ([id, { Type }]) =>
          Type !== 'AWS::Lambda::Permission' && !(Type === 'AWS::SQS::QueuePolicy' && id.startsWith('Notify')),
      ),
    ),
  }));
  const app = await AppWorld.start(without, folder, server);
  try {
    app.world.sendDeploymentEvent();
    app.world.triggerSchedules();
    await app.createSecret('db');
    await endUnreported(app, cdkOut);
    await app.world.settled();
    return app.world.iam.calls.filter(({ action, allowed }) => action === 'sqs:SendMessage' && allowed);
  } finally {
    await app.world.stop();
  }
}

/** Puts the event of a failed scan on the event bus, and ends an execution. */
async function endUnreported({ administrator }: AppWorld, cdkOut: string): Promise<void> {
  const eventBridge = new EventBridgeClient(administrator);
  const Detail = JSON.stringify({ requestContext: { functionArn: `${scannerArn(cdkOut)}:$LATEST` } });
  const failure = { Source: 'lambda', DetailType: 'Lambda Function Invocation Result - Failure', Detail };
  await eventBridge.send(new PutEventsCommand({ Entries: [failure] }));
  eventBridge.destroy();
  const template = new Template(cdkOut);
  const [machine] = template.ofType('AWS::StepFunctions::StateMachine').map((resource) => template.arnOf(resource));
  const stepFunctions = new SFNClient(administrator);
  const { executionArn } = await stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: machine, name: 'any', input: '{"when":"2999-01-01T00:00:00Z"}' }),
  );
  await stepFunctions.send(new StopExecutionCommand({ executionArn }));
  stepFunctions.destroy();
}

/** The call of a scan that exceeds one invocation; running it would take a quarter of an hour. */
function continuedScan(cdkOut: string): readonly DecidedCall[] {
  const principal = sessionOf(roleArn(cdkOut, 'Scanner/FunctionRole'), 'scanner');
  return [{ principal, action: 'lambda:InvokeFunction', resource: scannerArn(cdkOut), allowed: true }];
}

function scannerArn(cdkOut: string): string {
  const template = new Template(cdkOut);
  const scanner = template.ofType('AWS::Lambda::Function').find(({ title }) => title === 'Scanner/Function');
  if (scanner === undefined) {
    throw new Error('The stack has no scanner.');
  }
  return template.arnOf(scanner);
}

/** The call of CloudWatch for an alarm; there are no metrics here to trigger one. */
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

/** Calls that cannot be made here, because traffic over loopback is treated as TLS. */
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
