import { readdir } from 'node:fs/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import type { ExecutionEnd } from '../../../../local/services/execution.ts';
import { EXTRA_BUCKET, synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { appOnPostgres } from '../../support/app-on-postgres.ts';
import { AppWorld, changed } from '../../support/app-world.ts';
import { check, makeOverdue } from '../../support/overdue.ts';

const shared = appOnPostgres(synthesizedAppWithOptions);

interface Document {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** Starts the app without an action in the policy at a path in the stack. */
async function without(path: string, action: string): Promise<AppWorld> {
  const { cdkOut, folder, server } = shared();
  const less = await changed(cdkOut, folder, ({ Resources }) => ({
    Resources: Object.fromEntries(
      Object.entries(Resources).map(([id, resource]) => [
        id,
        isAt(resource, path) ? removeAction(resource, action) : resource,
      ]),
    ),
  }));
  return AppWorld.start(less, folder, server);
}

function isAt(resource: object, path: string): boolean {
  const { Metadata } = resource as { Metadata?: Record<string, string> };
  return Metadata?.['aws:cdk:path'] === `AutoDump/${path}/Resource`;
}

function removeAction<T extends { readonly Properties?: object }>(resource: T, action: string): T {
  const { PolicyDocument, ...properties } = resource.Properties as { PolicyDocument: Document };
  const Statement = PolicyDocument.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((it) => it !== action),
  })).filter(({ Action }) => Action.length > 0);
  return { ...resource, Properties: { ...properties, PolicyDocument: { ...PolicyDocument, Statement } } };
}

/** Runs the app with one secret, as far as it gets. @returns the end of the secret's execution */
async function run(app: AppWorld): Promise<ExecutionEnd | undefined> {
  try {
    const secret = await app.createSecret('db');
    const { end } = await app.runNow(secret);
    return end;
  } finally {
    await app.world.stop();
  }
}

describe('without a permission', () => {
  test('to create its rule, the state machine is not created', async () => {
    await expect(without('Workflow/StateMachine/Role/DefaultPolicy', 'events:PutRule')).rejects.toThrow(
      /is not authorized to create managed-rule\..* events:PutRule on resource: arn:aws:events:.*StepFunctions/,
    );
  });

  test('to receive its events, Notify is not connected to their queue', async () => {
    await expect(without('Notify/FunctionRole/DefaultPolicy', 'sqs:ReceiveMessage')).rejects.toThrow(
      'The provided execution role does not have permissions to call ReceiveMessage on SQS',
    );
  });

  test('to publish, a message stays in the queue until its event is a dead letter', async () => {
    const app = await without('Notify/FunctionRole/DefaultPolicy', 'sns:Publish');
    expect(await app.published(() => app.createSecret('db'))).toEqual([]);
    await app.world.stop();
    expect(app.world.deadLetters).toMatchObject([
      { handler: expect.stringContaining('Notify-Events'), requestPayload: { source: 'aws.states' } },
    ]);
  });

  test('to start executions, the scan fails and names the secret', async () => {
    const app = await without('Scanner/StartRuns', 'states:StartExecution');
    expect(await app.published(() => app.createSecret('db'))).toEqual([
      expect.stringMatching(
        /^SCAN FAILED\nSeen: .*\nWhy: db: AccessDeniedException: User: .*Scanner-FunctionRole\/.* is not authorized to perform: states:StartExecution/,
      ),
    ]);
    await app.world.stop();
    expect(app.world.executions).toEqual([]);
  });

  test.each<[string, string, string, RegExp]>([
    [
      'to describe secrets, comparing tags',
      'RunFunctions/HashRole/DefaultPolicy',
      'secretsmanager:DescribeSecret',
      /could not read whether.* AccessDeniedException: .*User: .*HashRole\/.*secretsmanager:DescribeSecret/,
    ],
    [
      'to invoke functions, comparing tags',
      'Workflow/StateMachine/Role/DefaultPolicy',
      'lambda:InvokeFunction',
      /could not read whether.* Lambda\.AWSLambdaException: User: .*lambda:InvokeFunction/,
    ],
    [
      'to submit jobs, the dump',
      'Workflow/StateMachine/Role/DefaultPolicy',
      'batch:SubmitJob',
      /failed without a job that ended\. Batch\.BatchException: User: .*batch:SubmitJob on resource: .*job-queue/,
    ],
    [
      'to log in to the registry, starting the job',
      'DumpJob/ExecutionRole/DefaultPolicy',
      'ecr:GetAuthorizationToken',
      /ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: .*ecr:GetAuthorizationToken/,
    ],
    [
      'to pull the image, starting the job',
      'DumpJob/ExecutionRole/DefaultPolicy',
      'ecr:BatchGetImage',
      /Task failed to start \(CannotPullContainerError: .*ecr:BatchGetImage/,
    ],
    [
      'to create the log stream, starting the job',
      'DumpJob/ExecutionRole/DefaultPolicy',
      'logs:CreateLogStream',
      /ResourceInitializationError: failed to create Cloudwatch log stream.*logs:CreateLogStream/,
    ],
    [
      'to read the secret, the job',
      'DumpJob/JobRole/DefaultPolicy',
      'secretsmanager:GetSecretValue',
      /The dump of .* failed: exit status 77/,
    ],
    [
      'to look for an existing dump, the job',
      'DumpJob/JobRole/DefaultPolicy',
      's3:ListBucket',
      /The dump of .* failed: exit status 77/,
    ],
    [
      'to write the dump, the job',
      'DumpJob/JobRole/DefaultPolicy',
      's3:PutObject',
      /The dump of .* failed: exit status 77/,
    ],
  ])('%s fails, and no dump is made', async (_, path, action, cause) => {
    const app = await without(path, action);
    expect(await run(app)).toMatchObject({ status: 'FAILED', cause: expect.stringMatching(cause) });
    expect(await app.dumps()).toEqual([]);
    expect(app.events).toContainEqual({ kind: 'call denied', message: expect.stringContaining(` ${action} `) });
  });

  test('to start the next run, rescheduling fails, but the dump is made', async () => {
    const app = await without('Workflow/StartRuns', 'states:StartExecution');
    expect(await run(app)).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('Rescheduling failed') });
    expect(await app.dumps()).toHaveLength(1);
  });

  test.each<[string, string, RegExp]>([
    ['to describe runs', 'states:DescribeExecution', /^1 secret\(s\) could not be checked.*\ndb: .*AccessDenied/],
    ['to publish', 'sns:Publish', /User: .*Freshness-FunctionRole\/.* is not authorized to perform: sns:Publish/],
  ])('%s, a check that misses a dump fails', async (_, action, message) => {
    const app = await without('Freshness/FunctionRole/DefaultPolicy', action);
    await app.world.s3.send(new CreateBucketCommand({ Bucket: EXTRA_BUCKET }));
    const secret = await app.createSecret('db');
    expect(await check(app)).toEqual([]);
    await makeOverdue(app, secret);
    expect(await check(app)).toEqual([]);
    await app.world.stop();
    expect(app.world.deadLetters.map(({ responsePayload }) => responsePayload?.errorMessage)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  test('to write its log, a function works, but has no log', async () => {
    const app = await without('RunFunctions/HashRole/DefaultPolicy', 'logs:PutLogEvents');
    expect(await run(app)).toMatchObject({ status: 'SUCCEEDED' });
    const logs = await readdir(app.world.logs);
    expect(logs.filter((name) => /Hash|Reschedule/.test(name))).toEqual([expect.stringContaining('Reschedule')]);
  });
});
