import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import type { ExecutionEnd } from '../../../../local/services/execution.ts';
import { sweep } from '../../../support/sweep.ts';
import { EXTRA_BUCKET, synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { appOnPostgres } from '../../support/app-on-postgres.ts';
import type { AppWorld } from '../../support/app-world.ts';
import { check, makeOverdue } from '../../support/overdue.ts';
import { without } from './without.ts';

const shared = appOnPostgres(synthesizedAppWithOptions);

const HASH = 'RunFunctions/HashRole/DefaultPolicy';
const MACHINE = 'Workflow/StateMachine/Role/DefaultPolicy';
const STARTING = 'DumpJob/ExecutionRole/DefaultPolicy';
const JOB = 'DumpJob/JobRole/DefaultPolicy';

type Case = readonly [name: string, path: string, action: string, cause: RegExp];

/** By the step that lacks the permission. */
const STEPS: readonly (readonly Case[])[] = [
  [
    [
      'to describe secrets, comparing tags',
      HASH,
      'secretsmanager:DescribeSecret',
      /could not read whether.* AccessDeniedException: .*User: .*HashRole\/.*secretsmanager:DescribeSecret/,
    ],
    [
      'to invoke functions, comparing tags',
      MACHINE,
      'lambda:InvokeFunction',
      /could not read whether.* Lambda\.AWSLambdaException: User: .*lambda:InvokeFunction/,
    ],
  ],
  [
    [
      'to submit jobs, the dump',
      MACHINE,
      'batch:SubmitJob',
      /failed without a job that ended\. Batch\.BatchException: User: .*batch:SubmitJob on resource: .*job-queue/,
    ],
  ],
  [
    [
      'to log in to the registry, starting the job',
      STARTING,
      'ecr:GetAuthorizationToken',
      /ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: .*ecr:GetAuthorizationToken/,
    ],
    [
      'to pull the image, starting the job',
      STARTING,
      'ecr:BatchGetImage',
      /Task failed to start \(CannotPullContainerError: .*ecr:BatchGetImage/,
    ],
    [
      'to create the log stream, starting the job',
      STARTING,
      'logs:CreateLogStream',
      /ResourceInitializationError: failed to create Cloudwatch log stream.*logs:CreateLogStream/,
    ],
  ],
  [
    ['to read the secret, the job', JOB, 'secretsmanager:GetSecretValue', /The dump of .* failed: exit status 77/],
    ['to look for an existing dump, the job', JOB, 's3:ListBucket', /The dump of .* failed: exit status 77/],
    ['to write the dump, the job', JOB, 's3:PutObject', /The dump of .* failed: exit status 77/],
  ],
];

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
  test.each(STEPS.flatMap((step) => sweep(step, 1)))(
    '%s fails, and no dump is made',
    async (_, path, action, cause) => {
      const app = await without(shared(), { path, action });
      expect(await run(app)).toMatchObject({ status: 'FAILED', cause: expect.stringMatching(cause) });
      expect(await app.dumps()).toEqual([]);
      expect(app.events).toContainEqual({ kind: 'call denied', message: expect.stringContaining(` ${action} `) });
    },
  );

  const checks: readonly (readonly [name: string, action: string, message: RegExp])[] = [
    ['to describe runs', 'states:DescribeExecution', /^1 secret\(s\) could not be checked.*\ndb: .*AccessDenied/],
    ['to publish', 'sns:Publish', /User: .*Freshness-FunctionRole\/.* is not authorized to perform: sns:Publish/],
  ];

  test.each(sweep(checks, 1))('%s, a check that misses a dump fails', async (_, action, message) => {
    const app = await without(shared(), { path: 'Freshness/FunctionRole/DefaultPolicy', action });
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
});
