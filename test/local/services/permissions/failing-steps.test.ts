import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresServer, startPostgres } from '../../../../local/postgres/server.ts';
import type { ExecutionEnd } from '../../../../local/services/execution.ts';
import { AppWorld, changed, synthesizeEverything } from '../../support/app-world.ts';

let folder: string;
let data: string;
let cdkOut: string;
let server: PostgresServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  data = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  cdkOut = join(folder, 'cdk.out');
  synthesizeEverything(cdkOut);
  server = await startPostgres({ directory: data });
});

afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true });
  await rm(folder, { recursive: true });
});

interface Document {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The app without an action of the policy at a place in the stack, started. */
async function without(place: string, action: string): Promise<AppWorld> {
  const less = await changed(cdkOut, folder, ({ Resources }) => ({
    Resources: Object.fromEntries(
      Object.entries(Resources).map(([id, resource]) => [
        id,
        isAt(resource, place) ? lessen(resource, action) : resource,
      ]),
    ),
  }));
  return AppWorld.start(less, folder, server);
}

function isAt(resource: object, place: string): boolean {
  const { Metadata } = resource as { Metadata?: Record<string, string> };
  return Metadata?.['aws:cdk:path'] === `AutoDump/${place}/Resource`;
}

function lessen<T extends { readonly Properties?: object }>(resource: T, action: string): T {
  const { PolicyDocument, ...properties } = resource.Properties as { PolicyDocument: Document };
  const Statement = PolicyDocument.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((it) => it !== action),
  })).filter(({ Action }) => Action.length > 0);
  return { ...resource, Properties: { ...properties, PolicyDocument: { ...PolicyDocument, Statement } } };
}

/** Goes as far as the app goes with a tagged secret whose time comes. */
async function run(app: AppWorld): Promise<ExecutionEnd | undefined> {
  try {
    const secret = await app.createSecret('db');
    const { end } = await app.timeComes(secret);
    return end;
  } finally {
    await app.world.stop();
  }
}

async function dumps({ world, bucket }: AppWorld): Promise<readonly string[]> {
  const files = await readdir(join(world.objects, bucket), { recursive: true }).catch(() => []);
  return files.filter((file) => file.endsWith('.dmp'));
}

describe('without a permission', () => {
  test('to make its rule, the state machine is not created', async () => {
    await expect(without('Workflow/StateMachine/Role/DefaultPolicy', 'events:PutRule')).rejects.toThrow(
      /is not authorized to create managed-rule\..* events:PutRule on resource: arn:aws:events:.*StepFunctions/,
    );
  });

  test('to start executions, the scan fails and names the secret', async () => {
    const app = await without('Scanner/StartRuns', 'states:StartExecution');
    await app.createSecret('db');
    await app.world.stop();
    expect(app.world.executions).toEqual([]);
    expect(app.world.deadLetters[0]?.responsePayload.errorMessage).toMatch(
      /^1 problem.*\ndb: AccessDeniedException: User: .*Scanner-FunctionRole\/.* is not authorized to perform: states:StartExecution/,
    );
  });

  test.each<[string, string, string, RegExp]>([
    [
      'to describe secrets, the comparison of tags',
      'RunFunctions/HashRole/DefaultPolicy',
      'secretsmanager:DescribeSecret',
      /could not be found out.* AccessDeniedException: .*User: .*HashRole\/.*secretsmanager:DescribeSecret/,
    ],
    [
      'to call functions, the comparison of tags',
      'Workflow/StateMachine/Role/DefaultPolicy',
      'lambda:InvokeFunction',
      /could not be found out.* Lambda\.AWSLambdaException: User: .*lambda:InvokeFunction/,
    ],
    [
      'to submit jobs, the dump',
      'Workflow/StateMachine/Role/DefaultPolicy',
      'batch:SubmitJob',
      /failed without a job that ended\. Batch\.BatchException: User: .*batch:SubmitJob on resource: .*job-queue/,
    ],
    [
      'to log in to the registry, the start of the job',
      'DumpJob/ExecutionRole/DefaultPolicy',
      'ecr:GetAuthorizationToken',
      /ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: .*ecr:GetAuthorizationToken/,
    ],
    [
      'to pull the image, the start of the job',
      'DumpJob/ExecutionRole/DefaultPolicy',
      'ecr:BatchGetImage',
      /Task failed to start \(CannotPullContainerError: .*ecr:BatchGetImage/,
    ],
    [
      'to open the log, the start of the job',
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
      'to look for a dump, the job',
      'DumpJob/JobRole/DefaultPolicy',
      's3:ListBucket',
      /The dump of .* failed: exit status 77/,
    ],
    ['to write, the job', 'DumpJob/JobRole/DefaultPolicy', 's3:PutObject', /The dump of .* failed: exit status 77/],
  ])('%s fails, and no dump is made', async (_, place, action, cause) => {
    const app = await without(place, action);
    expect(await run(app)).toMatchObject({ status: 'FAILED', cause: expect.stringMatching(cause) });
    expect(await dumps(app)).toEqual([]);
    expect(app.happenings).toContainEqual({ kind: 'call denied', message: expect.stringContaining(` ${action} `) });
  });

  test('to start the next run, rescheduling fails and the dump is made', async () => {
    const app = await without('Workflow/StartRuns', 'states:StartExecution');
    expect(await run(app)).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('Rescheduling failed') });
    expect(await dumps(app)).toHaveLength(1);
  });

  test('to write its log, a function works and leaves none', async () => {
    const app = await without('RunFunctions/HashRole/DefaultPolicy', 'logs:PutLogEvents');
    expect(await run(app)).toMatchObject({ status: 'SUCCEEDED' });
    const logs = await readdir(app.world.logs);
    expect(logs.filter((name) => /Hash|Reschedule/.test(name))).toEqual([expect.stringContaining('Reschedule')]);
  });
});
