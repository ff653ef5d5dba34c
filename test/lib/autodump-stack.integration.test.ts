import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';
import { makeApp, makeStack, resourcesOf, synthesize } from './unbundled.ts';

const template = synthesize();
const appWithEverything = makeApp();
const context = {
  bucketName: 'dumps-of-ours',
  extraBucketNames: 'elsewhere-1,elsewhere-2',
  createReadOnlyUser: 'true',
  kmsKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  retentionDays: '7',
  securityGroupIds: 'sg-0123456789abcdef0,sg-0123456789abcdef1',
  cpuArchitecture: 'ARM64',
  maxConcurrentDumps: '3',
  jobVcpu: '0.25',
  scanIntervalMinutes: '1',
};
const withEverything = Template.fromStack(makeStack(context, appWithEverything));

describe('the dump bucket', () => {
  test('is private and encrypted', () => {
    template.hasResource('AWS::S3::Bucket', {
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      },
    });
  });

  test('refuses requests without TLS and writes that could replace an object, without the stack as well', () => {
    template.hasResource('AWS::S3::BucketPolicy', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Deny',
              Action: 's3:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
            Match.objectLike({
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Action: 's3:PutObject',
              Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
            }),
          ]),
        },
      },
    });
  });

  test('has a read-only user only on request, and never with an access key', () => {
    template.resourceCountIs('AWS::IAM::User', 0);
    withEverything.resourceCountIs('AWS::IAM::User', 1);
    withEverything.resourceCountIs('AWS::IAM::AccessKey', 0);
    withEverything.hasOutput('ReadOnlyUserName', {});
  });

  test('has the name, key and retention of the context', () => {
    withEverything.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: 'dumps-of-ours',
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: Match.stringLikeRegexp('key/1234abcd'),
            },
          },
        ],
      },
      LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 7 })]) },
    });
  });
});

describe('the dump job', () => {
  test('runs unprivileged, on scratch disk, and is retried only when that is worthwhile', () => {
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      JobDefinitionName: 'AutoDump-dump',
      PlatformCapabilities: ['FARGATE'],
      ContainerProperties: {
        Command: ['dump'],
        User: '10001',
        ReadonlyRootFilesystem: true,
        MountPoints: [{ ContainerPath: '/scratch', SourceVolume: 'scratch' }],
        // On Fargate, a volume has no host.
        Volumes: [{ Name: 'scratch', Host: Match.absent() }],
        EphemeralStorage: { SizeInGiB: 100 },
        NetworkConfiguration: { AssignPublicIp: 'DISABLED' },
        RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
        ResourceRequirements: [
          { Type: 'MEMORY', Value: '2048' },
          { Type: 'VCPU', Value: '1' },
        ],
      },
      Timeout: { AttemptDurationSeconds: 12 * 3600 },
      RetryStrategy: {
        Attempts: 3,
        EvaluateOnExit: [
          { Action: 'RETRY', OnExitCode: '75' },
          { Action: 'RETRY', OnStatusReason: 'Task failed to start*' },
          { Action: 'RETRY', OnStatusReason: 'ResourceInitializationError*' },
          { Action: 'RETRY', OnStatusReason: 'Timeout waiting for network*' },
          { Action: 'EXIT', OnReason: '*' },
        ],
      },
    });
  });

  test('has its own security group unless the context names some', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'AutoDump jobs',
      VpcId: 'vpc-0a5fd51718cbc523a',
      SecurityGroupIngress: Match.absent(),
    });
    withEverything.resourcePropertiesCountIs('AWS::EC2::SecurityGroup', { GroupDescription: 'AutoDump jobs' }, 0);
    withEverything.hasResourceProperties('AWS::Batch::ComputeEnvironment', {
      ComputeResources: { SecurityGroupIds: ['sg-0123456789abcdef0', 'sg-0123456789abcdef1'], MaxvCpus: 1 },
    });
    withEverything.hasOutput('JobSecurityGroups', { Value: 'sg-0123456789abcdef0,sg-0123456789abcdef1' });
  });

  test('may write to the buckets of the context, after its own', () => {
    withEverything.hasResourceProperties('AWS::Batch::JobDefinition', {
      ContainerProperties: {
        RuntimePlatform: { CpuArchitecture: 'ARM64' },
        Environment: Match.arrayWith([
          {
            Name: 'AUTODUMP_BUCKETS',
            Value: { 'Fn::Join': ['', [{ Ref: Match.anyValue() }, ',elsewhere-1,elsewhere-2']] },
          },
        ]),
      },
    });
  });
});

describe('the functions', () => {
  test('run on Node 24 for ARM64, with JSON logs that expire', () => {
    const functions = Object.values(resourcesOf(template, 'AWS::Lambda::Function'));
    expect(functions).toHaveLength(5);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.any(String) } },
      });
    }
    for (const { Properties } of Object.values(resourcesOf(template, 'AWS::Logs::LogGroup'))) {
      expect(Properties.RetentionInDays).toBe(90);
    }
  });
});

test.each([
  ['AWS::S3::Bucket', 4],
  ['AWS::Logs::LogGroup', 7],
])('each %s outlives the stack, unless its creation is rolled back', (type, count) => {
  const resources = Object.values(template.findResources(type));
  expect(resources).toHaveLength(count);
  for (const resource of resources) {
    // A bucket or log group that a failed first deployment leaves behind makes the next one fail.
    expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  }
});

test('alarms notify the topic of failed runs, scans, checks and messages, and of lost events', () => {
  const alarms = Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => {
    expect(Properties.AlarmActions).toEqual([{ Ref: expect.stringMatching(/^AlarmsTopic/) }]);
    return Properties;
  });
  const metrics = alarms.flatMap((Properties) => {
    if (Properties.Metrics !== undefined) {
      return [];
    }
    // Any one data point is enough.
    expect(Properties).toMatchObject({ Period: 300, DatapointsToAlarm: 1 });
    const Threshold = Properties.MetricName === 'ApproximateAgeOfOldestMessage' ? 900 : 0;
    expect(Properties).toMatchObject({ Threshold });
    return [`${String(Properties.MetricName)}, ${String(Properties.EvaluationPeriods)}`];
  });
  // Metrics of functions, queues and rules may appear many minutes late, so their alarms look back half an hour.
  expect(metrics.sort()).toEqual([
    'ApproximateAgeOfOldestMessage, 6',
    'DestinationDeliveryFailures, 6',
    'Errors, 6',
    'Errors, 6',
    'Errors, 6',
    'ExecutionsAborted, 1',
    'ExecutionsFailed, 1',
    'ExecutionsTimedOut, 1',
    'InvocationsSentToDlq, 6',
    'InvocationsSentToDlq, 6',
    'InvocationsSentToDlq, 6',
    'InvocationsSentToDlq, 6',
    'InvocationsSentToDlq, 6',
    'InvocationsSentToDlq, 6',
    'NumberOfMessagesSent, 6',
  ]);
  template.hasOutput('AlarmTopicArn', {});
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
        }),
      ]),
    },
  });
});

test('a check that does not end well, or does not begin, for three hours sets off the alarm of the heartbeat', () => {
  const dimensions = [{ Name: 'FunctionName', Value: { Ref: expect.stringMatching(/^FreshnessFunction/) } }];
  const metricOf = (name: string) => ({
    Id: name.toLowerCase(),
    MetricStat: expect.objectContaining({
      Metric: { Namespace: 'AWS/Lambda', MetricName: name, Dimensions: dimensions },
      Period: 3600,
      Stat: 'Sum',
    }),
    ReturnData: false,
  });
  const heartbeats = Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm')).filter(
    ({ Properties }) => Properties.Metrics !== undefined,
  );
  expect(heartbeats.map(({ Properties }) => Properties)).toEqual([
    expect.objectContaining({
      Metrics: [
        expect.objectContaining({ Expression: 'invocations - errors' }),
        metricOf('Invocations'),
        metricOf('Errors'),
      ],
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      TreatMissingData: 'breaching',
    }),
  ]);
});

test('the outputs are those that a user needs next', () => {
  expect(Object.keys(template.findOutputs('*')).sort().join(' ')).toBe(
    'AlarmTopicArn BucketName DashboardName DeadLetterQueueUrl DrillJobName FreshnessName HashName ' +
      'JobDefinitionName JobQueueArn JobSecurityGroups NotifyName RescheduleName RestoreJobName ScannerName StateMachineArn StatusBucketName',
  );
});

test('resources that waiting executions refer to keep their logical IDs', () => {
  // An execution runs with the definition and role that it was started with, up to a year later. Another logical ID
  // would replace the resource, and break every waiting execution.
  const ids = ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine', 'AWS::Batch::JobQueue'].flatMap((type) =>
    Object.keys(resourcesOf(template, type)),
  );
  expect(ids).toEqual(
    expect.arrayContaining([
      'RunFunctionsHash18344159',
      'RunFunctionsRescheduleD0F03424',
      'WorkflowStateMachine8F1B1C15',
      'DumpJobQueueB226D5FB',
    ]),
  );
  expect(Object.keys(resourcesOf(template, 'AWS::IAM::Role'))).toContain('WorkflowStateMachineRoleAB27BF0D');
});

test('the build of each image is given the oldest client programs that may be used', () => {
  const assets: unknown = JSON.parse(readFileSync(join(appWithEverything.outdir, 'AutoDump.assets.json'), 'utf8'));
  const dockerBuildArgs = { POSTGRESQL_MINIMUM_VERSIONS: MINIMUM_CLIENT_VERSIONS.join(' ') };
  const image = (dockerBuildTarget: string) =>
    expect.objectContaining({ source: expect.objectContaining({ dockerBuildArgs, dockerBuildTarget }) });
  expect(Object.values((assets as { dockerImages: object }).dockerImages)).toEqual([image('dump'), image('drill')]);
  expect(readFileSync('docker/Dockerfile', 'utf8')).toContain('ARG POSTGRESQL_MINIMUM_VERSIONS\n');
});

test('cdk-nag finds no violation of AwsSolutions that is not acknowledged', () => {
  Validations.of(appWithEverything).addPlugins(new AwsSolutionsChecks(appWithEverything));
  expect(() => appWithEverything.synth({ force: true })).not.toThrow();
});

test('the template is the reviewed one', () => {
  const file = 'test/lib/autodump-stack.snapshot.json';
  // Content hashes of assets change with every line of code, but not the template.
  const json = `${JSON.stringify(template.toJSON(), null, 2).replaceAll(/\b[0-9a-f]{64}\b/g, 'ASSET-HASH')}\n`;
  if (process.env.UPDATE_SNAPSHOT === 'true') {
    writeFileSync(file, json);
  }
  expect(JSON.parse(json)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});
