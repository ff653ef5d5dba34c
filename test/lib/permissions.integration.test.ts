import { describe, expect, test } from '@jest/globals';
import { actions, of, resources, statements } from './policy-statements.ts';
import { ofType } from './synthesized-template.ts';

describe('permissions', () => {
  test.each([
    [
      'Scanner',
      /^ScannerFunctionRole/,
      [
        'events:PutEvents',
        'lambda:InvokeFunction',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        'secretsmanager:DescribeSecret',
        'secretsmanager:ListSecrets',
        'states:ListExecutions',
        'states:StartExecution',
        'states:StartExecution',
      ],
    ],
    [
      'Notify',
      /^NotifyFunctionRole/,
      [
        'events:PutEvents',
        'logs:CreateLogStream',
        'logs:GetLogEvents',
        'logs:PutLogEvents',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        'sns:Publish',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
      ],
    ],
    [
      'Freshness',
      /^FreshnessFunctionRole/,
      [
        'events:PutEvents',
        'kms:Decrypt',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        's3:GetObject',
        's3:GetObject',
        's3:ListBucket',
        's3:ListBucket',
        's3:PutObject',
        's3:PutObject',
        's3:PutObjectTagging',
        'secretsmanager:ListSecrets',
        'sns:Publish',
        'sqs:SendMessage',
        'states:DescribeExecution',
      ],
    ],
    ['Hash', /^RunFunctionsHashRole/, ['logs:CreateLogStream', 'logs:PutLogEvents', 'secretsmanager:DescribeSecret']],
    [
      'Reschedule',
      /^RunFunctionsRescheduleRole/,
      ['logs:CreateLogStream', 'logs:PutLogEvents', 'secretsmanager:DescribeSecret', 'states:StartExecution'],
    ],
    [
      'the state machine',
      /^WorkflowStateMachineRole/,
      [
        'batch:DescribeJobs',
        'batch:SubmitJob',
        'batch:TagResource',
        'batch:TagResource',
        'batch:TerminateJob',
        'events:DescribeRule',
        'events:PutRule',
        'events:PutTargets',
        'lambda:InvokeFunction',
      ],
    ],
    [
      'the state machine of checks',
      /^CheckStateMachineRole/,
      [
        'batch:DescribeJobs',
        'batch:SubmitJob',
        'batch:TagResource',
        'batch:TagResource',
        'batch:TerminateJob',
        'events:DescribeRule',
        'events:PutRule',
        'events:PutTargets',
      ],
    ],
    [
      'the read-only user',
      /^ArchiveReadOnlyUser/,
      ['kms:Decrypt', 's3:GetBucketLocation', 's3:GetObject', 's3:ListBucket'],
    ],
  ])('of %s are exactly these', (_, role, expected) => {
    expect(actions(role)).toEqual(expected);
  });

  test('no role has a wildcard action, or a managed policy', () => {
    expect(
      [...statements.values()]
        .flat()
        .flatMap(({ Action }) => Action)
        .filter((action) => action.includes('*')),
    ).toEqual([]);
    for (const { Properties } of Object.values(ofType(resources, 'AWS::IAM::Role'))) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(Properties.Policies).toBeUndefined();
    }
  });

  test('only dumps and restores may read values of secrets, each only of those with its tag', () => {
    const readers = [...statements].flatMap(([role, granted]) =>
      granted
        .filter(({ Action }) => [Action].flat().some((action) => /Secret(Value|\*)/.test(action)))
        .map((statement) => ({ role, ...statement })),
    );
    expect(readers).toEqual([
      expect.objectContaining({
        role: expect.stringMatching(/^DumpJobJobRole/),
        Condition: { Null: { 'aws:ResourceTag/autodump:start-schedule': 'false' } },
      }),
      expect.objectContaining({
        role: expect.stringMatching(/^RestoreJobJobRole/),
        Condition: { Null: { 'aws:ResourceTag/autodump:restore-target': 'false' } },
      }),
    ]);
  });

  test('only the read-only user, restores and drills may read dumps, and nothing may delete or overwrite them', () => {
    const s3 = [...statements].flatMap(([role, granted]) =>
      granted
        // The state of the Scanner and of Freshness is in their own buckets, and so is the status.
        .filter(({ Effect, Sid = '' }) => Effect === 'Allow' && !['KeepState', 'WriteStatus'].includes(Sid))
        .flatMap(({ Action }) => Action)
        .filter((action) => /^s3:(Get|Delete|Put)/.test(action))
        .map((action) => `${role.slice(0, 12)} ${action}`),
    );
    expect(s3.sort()).toEqual([
      'ArchiveReadO s3:GetBucketLocation',
      'ArchiveReadO s3:GetObject',
      'DrillJobJobR s3:GetObject',
      'DrillJobJobR s3:PutObject',
      'DumpJobJobRo s3:PutObject',
      'DumpJobJobRo s3:PutObjectTagging',
      'FreshnessFun s3:GetObject',
      'FreshnessFun s3:PutObjectTagging',
      'RestoreJobJo s3:GetObject',
    ]);
  });

  test('Freshness may read manifests and evidence, in every bucket, and no dump', () => {
    const read = of(/^FreshnessFunctionRole/).find(({ Sid }) => Sid === 'ReadManifests');
    const resources = [read?.Resource].flat().map((resource) => JSON.stringify(resource));
    expect(resources.map((resource) => /[*][^"]*(?="\W*$)/.exec(resource)?.[0]).toSorted()).toEqual([
      '*.dmp.drill-*.json',
      '*.dmp.drill-*.json',
      '*.dmp.json',
      '*.dmp.json',
    ]);
  });

  test('the dump job may say how long a new object stays, and Freshness may only keep dumps', () => {
    const granted = (role: RegExp) => of(role).filter(({ Action }) => Action === 's3:PutObjectTagging');
    expect(granted(/^DumpJobJobRole/).map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { 's3:RequestObjectTag/autodump:retention': ['7', '14', '35', '90', '365', 'stack'] },
        'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['autodump:retention'] },
        Null: { 's3:ExistingObjectTag/autodump:retention': 'true' },
      },
    ]);
    expect(granted(/^FreshnessFunctionRole/).map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { 's3:RequestObjectTag/autodump:retention': ['kept'] },
        'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['autodump:retention'] },
      },
    ]);
  });

  test('Freshness writes the status into its own bucket', () => {
    const bucket = Object.keys(ofType(resources, 'AWS::S3::Bucket')).find((id) => id.startsWith('FreshnessState'));
    const objects = ['status.html', 'status.json'].map((key) => ({
      'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, `/${key}`]],
    }));
    expect(of(/^FreshnessFunctionRole/).find(({ Sid }) => Sid === 'WriteStatus')?.Resource).toEqual(objects);
  });

  test.each([
    ['Scanner', 'ScannerMemo', 'started-runs.json'],
    ['Freshness', 'FreshnessState', 'freshness.json'],
  ])('%s keeps its state in one object, outside the dump bucket', (name, bucketPrefix, key) => {
    const bucket = Object.keys(ofType(resources, 'AWS::S3::Bucket')).find((id) => id.startsWith(bucketPrefix));
    const granted = (sid: string) => of(new RegExp(`^${name}FunctionRole`)).find(({ Sid }) => Sid === sid)?.Resource;
    expect(granted('KeepState')).toEqual({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, `/${key}`]] });
    expect(granted('FindState')).toEqual({ 'Fn::GetAtt': [bucket, 'Arn'] });
  });

  test('the Scanner may invoke only itself', () => {
    const goOn = of(/^ScannerFunctionRole/).find(({ Sid }) => Sid === 'GoOn');
    expect(goOn?.Resource).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^ScannerFunction/), 'Arn'] });
  });

  test('each KMS permission is for one service', () => {
    const keys = [...statements.values()]
      .flat()
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')));
    expect(keys).toHaveLength(7);
    for (const { Condition } of keys) {
      expect(Condition).toEqual({ StringEquals: { 'kms:ViaService': expect.anything() } });
    }
  });

  test('executions can be started only of these state machines, and jobs only from these definitions and queues', () => {
    const machineOf = (prefix: string) => ({
      Ref: Object.keys(ofType(resources, 'AWS::StepFunctions::StateMachine')).find((id) => id.startsWith(prefix)),
    });
    const [machine, checks] = [machineOf('Workflow'), machineOf('Check')];
    const starts = [...statements.values()].flat().filter(({ Action }) => Action === 'states:StartExecution');
    expect(starts.map(({ Resource }) => Resource)).toEqual([machine, checks, machine]);
    for (const [role, queues, definitions] of [
      [/^WorkflowStateMachineRole/, ['DumpJobQueue', 'DrillJobQueue'], ['AutoDump-dump', 'AutoDump-drill']],
      [/^CheckStateMachineRole/, ['CheckQueue'], ['AutoDump-dump']],
    ] as const) {
      const submit = of(role).find(({ Sid }) => Sid === 'SubmitJobs');
      const resources = JSON.stringify(submit?.Resource);
      for (const part of [...queues, ...definitions.map((name) => `:job-definition/${name}:*"`)]) {
        expect(resources).toContain(part);
      }
      expect(submit?.Resource).toHaveLength(queues.length + 2 * definitions.length);
    }
  });
});
