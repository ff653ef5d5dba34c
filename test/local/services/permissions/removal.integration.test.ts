import { beforeAll, expect, test } from '@jest/globals';
import { Template } from '../../../../local/assembly/template.ts';
import { decide } from '../../../../local/services/iam/decision.ts';
import { type Policies, policiesOf, type Policy } from '../../../../local/services/iam/policies.ts';
import { matchesAction } from '../../../../local/services/iam/unused.ts';
import { synthesizedAppWithOptions } from '../../../support/synthesized-app.ts';
import { appOnPostgres } from '../../support/app-on-postgres.ts';
import { query } from '../../support/database.ts';
import { type RecordedSteps, recordLifecycle } from './lifecycle.ts';

const shared = appOnPostgres(synthesizedAppWithOptions);

let steps: RecordedSteps;

beforeAll(async () => {
  const { server } = shared();
  // Large enough for its dump to be uploaded in parts.
  const big = 'create table big as select md5(random()::text) || md5(random()::text) from generate_series(1, 400000)';
  await query(server, 'postgres', big);
  steps = await recordLifecycle(shared());
});

/** For each step, the permissions that it is the first to need. */
const NEEDED = {
  'the stack is created': [
    'Check/StateMachine/Role sts:AssumeRole',
    'Check/StateMachine/Role/DefaultPolicy events:DescribeRule',
    'Check/StateMachine/Role/DefaultPolicy events:PutRule',
    'Check/StateMachine/Role/DefaultPolicy events:PutTargets',
    'Notify/FunctionRole/DefaultPolicy sqs:DeleteMessage',
    'Notify/FunctionRole/DefaultPolicy sqs:GetQueueAttributes',
    'Notify/FunctionRole/DefaultPolicy sqs:ReceiveMessage',
    'Workflow/StateMachine/Role sts:AssumeRole',
    'Workflow/StateMachine/Role/DefaultPolicy events:DescribeRule',
    'Workflow/StateMachine/Role/DefaultPolicy events:PutRule',
    'Workflow/StateMachine/Role/DefaultPolicy events:PutTargets',
  ],
  'the deployment is announced': [
    'Scanner/Function lambda:InvokeFunction',
    'Scanner/FunctionRole sts:AssumeRole',
    'Scanner/FunctionRole/DefaultPolicy logs:CreateLogStream',
    'Scanner/FunctionRole/DefaultPolicy logs:PutLogEvents',
    'Scanner/FunctionRole/DefaultPolicy s3:GetObject',
    'Scanner/FunctionRole/DefaultPolicy s3:ListBucket',
    'Scanner/FunctionRole/DefaultPolicy s3:PutObject',
    'Scanner/FunctionRole/DefaultPolicy secretsmanager:ListSecrets',
    'Scanner/FunctionRole/DefaultPolicy states:ListExecutions',
  ],
  'the hourly schedule is due': [
    'Freshness/Function lambda:InvokeFunction',
    'Freshness/FunctionRole sts:AssumeRole',
    'Freshness/FunctionRole/DefaultPolicy logs:CreateLogStream',
    'Freshness/FunctionRole/DefaultPolicy logs:PutLogEvents',
    'Freshness/FunctionRole/DefaultPolicy s3:GetObject',
    'Freshness/FunctionRole/DefaultPolicy s3:ListBucket', // Of the state.
    'Freshness/FunctionRole/DefaultPolicy s3:PutObject', // Of the state, and of the status.
    'Freshness/FunctionRole/DefaultPolicy s3:PutObject',
    'Freshness/FunctionRole/DefaultPolicy secretsmanager:ListSecrets',
    'Scanner/Function lambda:InvokeFunction',
  ],
  // And checked.
  'a secret is tagged': [
    'Check/StateMachine/Role/DefaultPolicy batch:DescribeJobs',
    'Check/StateMachine/Role/DefaultPolicy batch:SubmitJob',
    'Check/StateMachine/Role/DefaultPolicy batch:TagResource', // For the definition, and for the job.
    'Check/StateMachine/Role/DefaultPolicy batch:TagResource',
    'DumpJob/ExecutionRole sts:AssumeRole',
    'DumpJob/ExecutionRole/DefaultPolicy ecr:BatchCheckLayerAvailability',
    'DumpJob/ExecutionRole/DefaultPolicy ecr:BatchGetImage',
    'DumpJob/ExecutionRole/DefaultPolicy ecr:GetAuthorizationToken',
    'DumpJob/ExecutionRole/DefaultPolicy ecr:GetDownloadUrlForLayer',
    'DumpJob/ExecutionRole/DefaultPolicy logs:CreateLogStream',
    'DumpJob/ExecutionRole/DefaultPolicy logs:PutLogEvents',
    'DumpJob/JobRole sts:AssumeRole',
    'DumpJob/JobRole/DefaultPolicy kms:Decrypt', // For the secret.
    'DumpJob/JobRole/DefaultPolicy kms:GenerateDataKey',
    'DumpJob/JobRole/DefaultPolicy s3:AbortMultipartUpload',
    'DumpJob/JobRole/DefaultPolicy s3:ListBucket',
    'DumpJob/JobRole/DefaultPolicy s3:PutObject',
    'DumpJob/JobRole/DefaultPolicy s3:PutObjectTagging',
    'DumpJob/JobRole/DefaultPolicy secretsmanager:DescribeSecret',
    'DumpJob/JobRole/DefaultPolicy secretsmanager:GetSecretValue',
    'Notify/Events/Queue/Policy sqs:SendMessage',
    'Notify/FunctionRole sts:AssumeRole',
    'Notify/FunctionRole/DefaultPolicy events:PutEvents',
    'Notify/FunctionRole/DefaultPolicy logs:CreateLogStream',
    'Notify/FunctionRole/DefaultPolicy logs:GetLogEvents',
    'Notify/FunctionRole/DefaultPolicy logs:PutLogEvents',
    'Notify/FunctionRole/DefaultPolicy s3:GetObject',
    'Notify/FunctionRole/DefaultPolicy s3:ListBucket',
    'Notify/FunctionRole/DefaultPolicy s3:PutObject',
    'Notify/FunctionRole/DefaultPolicy sns:Publish',
    'Scanner/Function lambda:InvokeFunction',
    'Scanner/FunctionRole/DefaultPolicy secretsmanager:DescribeSecret',
    'Scanner/FunctionRole/DefaultPolicy states:StartExecution',
    'Scanner/StartRuns states:StartExecution',
  ],
  'a dump is missing': [
    'Freshness/FunctionRole/DefaultPolicy events:PutEvents',
    'Freshness/FunctionRole/DefaultPolicy s3:ListBucket', // Of the dumps.
    'Freshness/FunctionRole/DefaultPolicy sns:Publish',
    'Freshness/FunctionRole/DefaultPolicy states:DescribeExecution',
  ],
  'its dump is due': [
    'DumpJob/JobRole/DefaultPolicy kms:Decrypt', // For the bucket.
    'DumpJob/JobRole/DefaultPolicy s3:ListBucketMultipartUploads',
    'RunFunctions/HashRole sts:AssumeRole',
    'RunFunctions/HashRole/DefaultPolicy logs:CreateLogStream',
    'RunFunctions/HashRole/DefaultPolicy logs:PutLogEvents',
    'RunFunctions/HashRole/DefaultPolicy secretsmanager:DescribeSecret',
    'RunFunctions/RescheduleRole sts:AssumeRole',
    'RunFunctions/RescheduleRole/DefaultPolicy logs:CreateLogStream',
    'RunFunctions/RescheduleRole/DefaultPolicy logs:PutLogEvents',
    'RunFunctions/RescheduleRole/DefaultPolicy secretsmanager:DescribeSecret',
    'Workflow/StartRuns states:StartExecution',
    'Workflow/StateMachine/Role/DefaultPolicy batch:DescribeJobs',
    'Workflow/StateMachine/Role/DefaultPolicy batch:SubmitJob',
    'Workflow/StateMachine/Role/DefaultPolicy batch:TagResource', // For the definition, and for the job.
    'Workflow/StateMachine/Role/DefaultPolicy batch:TagResource',
    'Workflow/StateMachine/Role/DefaultPolicy lambda:InvokeFunction',
  ],
  'its dump is drilled': [
    'DrillJob/ExecutionRole sts:AssumeRole',
    'DrillJob/ExecutionRole/DefaultPolicy ecr:BatchCheckLayerAvailability',
    'DrillJob/ExecutionRole/DefaultPolicy ecr:BatchGetImage',
    'DrillJob/ExecutionRole/DefaultPolicy ecr:GetAuthorizationToken',
    'DrillJob/ExecutionRole/DefaultPolicy ecr:GetDownloadUrlForLayer',
    'DrillJob/ExecutionRole/DefaultPolicy logs:CreateLogStream',
    'DrillJob/ExecutionRole/DefaultPolicy logs:PutLogEvents',
    'DrillJob/JobRole sts:AssumeRole',
    'DrillJob/JobRole/DefaultPolicy kms:Decrypt',
    'DrillJob/JobRole/DefaultPolicy kms:GenerateDataKey',
    'DrillJob/JobRole/DefaultPolicy s3:GetObject',
    'DrillJob/JobRole/DefaultPolicy s3:ListBucket',
    'DrillJob/JobRole/DefaultPolicy s3:PutObject',
  ],
  'its manifest is read': [
    'Freshness/FunctionRole/DefaultPolicy kms:Decrypt',
    'Freshness/FunctionRole/DefaultPolicy s3:GetObject',
  ],
  'rows vanish': ['Freshness/FunctionRole/DefaultPolicy s3:PutObjectTagging'],
  'its dump is read': [
    'Archive/ReadOnlyUser/DefaultPolicy kms:Decrypt',
    'Archive/ReadOnlyUser/DefaultPolicy s3:GetBucketLocation',
    'Archive/ReadOnlyUser/DefaultPolicy s3:GetObject',
    'Archive/ReadOnlyUser/DefaultPolicy s3:ListBucket',
  ],
  'its dump is restored': [
    'RestoreJob/ExecutionRole sts:AssumeRole',
    'RestoreJob/ExecutionRole/DefaultPolicy ecr:BatchCheckLayerAvailability',
    'RestoreJob/ExecutionRole/DefaultPolicy ecr:BatchGetImage',
    'RestoreJob/ExecutionRole/DefaultPolicy ecr:GetAuthorizationToken',
    'RestoreJob/ExecutionRole/DefaultPolicy ecr:GetDownloadUrlForLayer',
    'RestoreJob/ExecutionRole/DefaultPolicy logs:CreateLogStream',
    'RestoreJob/ExecutionRole/DefaultPolicy logs:PutLogEvents',
    'RestoreJob/JobRole sts:AssumeRole',
    'RestoreJob/JobRole/DefaultPolicy kms:Decrypt', // For the secret, and for the bucket.
    'RestoreJob/JobRole/DefaultPolicy kms:Decrypt',
    'RestoreJob/JobRole/DefaultPolicy s3:GetObject',
    'RestoreJob/JobRole/DefaultPolicy secretsmanager:DescribeSecret',
    'RestoreJob/JobRole/DefaultPolicy secretsmanager:GetSecretValue',
  ],
  'databases of RDS are dumped and restored': [
    'DumpJob/JobRole/DefaultPolicy rds:DescribeDBClusters',
    'DumpJob/JobRole/DefaultPolicy rds:DescribeDBInstances',
    'RestoreJob/JobRole/DefaultPolicy rds:DescribeDBClusters',
    'RestoreJob/JobRole/DefaultPolicy rds:DescribeDBInstances',
  ],
  'a run is stopped': [
    'DumpJob/JobRole/DefaultPolicy s3:ListMultipartUploadParts', // Of the upload that was left open.
    'Workflow/StateMachine/Role/DefaultPolicy batch:TerminateJob',
  ],
  'the check of a secret is stopped': ['Check/StateMachine/Role/DefaultPolicy batch:TerminateJob'],
  // Denied by the bucket's policy, and to the jobs in other buckets by their own policies.
  'a dump is replaced': [
    'Archive/Bucket/Policy s3:PutObject',
    'DrillJob/JobRole/DefaultPolicy s3:PutObject',
    'DumpJob/JobRole/DefaultPolicy s3:PutObject',
  ],
  'a check fails': ['Freshness/FunctionRole/DefaultPolicy sqs:SendMessage'],
  'a scan fails': ['Notify/Events/Queue/Policy sqs:SendMessage', 'Scanner/FunctionRole/DefaultPolicy events:PutEvents'],
  'a scan is continued': ['Scanner/GoOn lambda:InvokeFunction'],
  'an event cannot be delivered': [
    'DeadLetters/Policy sqs:SendMessage', // For each rule.
    'DeadLetters/Policy sqs:SendMessage',
    'DeadLetters/Policy sqs:SendMessage',
    'DeadLetters/Policy sqs:SendMessage',
    'DeadLetters/Policy sqs:SendMessage',
    'DeadLetters/Policy sqs:SendMessage',
  ],
  'a missing dump is restored': ['RestoreJob/JobRole/DefaultPolicy s3:ListBucket'],
  'an alarm goes off': ['Alarms/Topic/Policy sns:Publish'],
  'TLS is missing or outdated': [
    'Alarms/Topic/Policy sns:Publish',
    'Archive/Bucket/Policy s3:*',
    'Archive/Bucket/Policy s3:*',
    'DeadLetters/Policy sqs:*',
    'Freshness/State/Bucket/Policy s3:*',
    'Freshness/State/Bucket/Policy s3:*',
    'Notify/Events/Queue/Policy sqs:*',
    'Notify/State/Bucket/Policy s3:*',
    'Notify/State/Bucket/Policy s3:*',
    'Scanner/Memo/Bucket/Policy s3:*',
    'Scanner/Memo/Bucket/Policy s3:*',
  ],
};

interface Removal {
  readonly policy: string;
  readonly action: string;
  readonly left: Policies;
}

/** All policies, each time without one action of one statement. */
function* removals({ identities, resources }: Policies): Generator<Removal> {
  for (const [arn, policies] of identities) {
    for (const policy of policies) {
      for (const { left, ...removed } of shortened(policy)) {
        const others = policies.filter((other) => other !== policy);
        yield { ...removed, left: { resources, identities: new Map(identities).set(arn, [...others, ...left]) } };
      }
    }
  }
  for (const [arn, policy] of resources) {
    for (const { left, ...removed } of shortened(policy)) {
      const others = [...resources].filter(([other]) => other !== arn);
      const kept = left.map((it) => [arn, it] as const);
      yield { ...removed, left: { identities, resources: new Map([...others, ...kept]) } };
    }
  }
}

function* shortened({
  name,
  document,
}: Policy): Generator<Omit<Removal, 'left'> & { readonly left: readonly Policy[] }> {
  const { Statement } = document;
  for (const [index, statement] of Statement.entries()) {
    for (const action of statement.Action) {
      const Action = statement.Action.filter((other) => other !== action);
      const less = Statement.with(index, { ...statement, Action }).filter((it) => it.Action.length > 0);
      const left = less.length === 0 ? [] : [{ name, document: { ...document, Statement: less } }];
      yield { policy: name, action, left };
    }
  }
}

/** The first step with a call that the remaining policies allow or deny differently. */
async function firstAffectedStep({ action, left }: Removal): Promise<string> {
  for (const [name, calls] of steps) {
    for (const call of calls.filter((it) => matchesAction(action, it.action))) {
      if ((await decide(left, call)).allowed !== call.allowed) {
        return name;
      }
    }
  }
  return 'none';
}

test('without one action of one statement, the step that needs it is affected', async () => {
  const found: Record<string, string[]> = {};
  for (const removal of removals(policiesOf(new Template(shared().cdkOut)))) {
    (found[await firstAffectedStep(removal)] ??= []).push(`${removal.policy} ${removal.action}`);
  }
  for (const needed of Object.values(found)) {
    needed.sort();
  }
  expect(found).toEqual(NEEDED);
});

test('nothing else is denied in the whole lifecycle of the stack', () => {
  const denied = [...steps].flatMap(([step, calls]) =>
    calls.filter(({ allowed }) => !allowed).map(({ action }) => `${step}: ${action}`),
  );
  expect(denied).toEqual([
    'a dump is replaced: s3:PutObject',
    'a dump is replaced: s3:PutObject',
    'a dump is replaced: s3:PutObject',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: s3:ListBucket',
    'TLS is missing or outdated: sqs:SendMessage',
    'TLS is missing or outdated: sqs:SendMessage',
    'TLS is missing or outdated: sns:Publish',
  ]);
});
