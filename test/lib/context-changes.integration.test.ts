import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { CONTEXT } from './example-context.ts';
import type { Resource } from './synthesize.ts';
import { readContext, resourcesOf, synthesize } from './unbundled.ts';

/** Another value for each key of the context whose change replaces nothing. */
const IN_PLACE = {
  privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412b',
  availabilityZones: 'us-west-2a,us-west-2c',
  extraBucketNames: 'elsewhere',
  createReadOnlyUser: 'true',
  retentionDays: '7',
  kmsKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  securityGroupIds: 'sg-0123456789abcdef0',
  maxConcurrentDumps: '20',
  jobVcpu: '2',
  jobMemoryMiB: '8192',
  ephemeralStorageGiB: '200',
  dumpTimeoutHours: '24',
  cpuArchitecture: 'ARM64',
  scanIntervalMinutes: '30',
  overdueAfterMinutes: '60',
};

/** Another value for each key whose change replaces a resource. */
const REPLACING = { vpcId: 'vpc-0a5fd51718cbc523b', bucketName: 'dumps-of-ours' };

const template = synthesize();
const deployed = allResources(template);

function allResources(of: Template): Readonly<Record<string, Resource>> {
  return (of.toJSON() as { readonly Resources: Record<string, Resource> }).Resources;
}

/** What the update of a deployed stack would do: resources it adds and removes, and properties it changes, by type. */
function changesBy(context: Readonly<Record<string, string>>) {
  const updated = allResources(synthesize(context));
  const typesOnlyIn = (here: typeof updated, there: typeof updated) =>
    Object.entries(here).flatMap(([id, { Type }]) => (id in there ? [] : [Type]));
  const changed = Object.entries(deployed).flatMap(([id, { Type, Properties }]) => {
    const now = updated[id]?.Properties ?? Properties;
    return [...new Set([...Object.keys(Properties), ...Object.keys(now)])]
      .filter((name) => JSON.stringify(Properties[name]) !== JSON.stringify(now[name]))
      .map((name) => `${Type}.${name}`);
  });
  return {
    added: typesOnlyIn(updated, deployed),
    removed: typesOnlyIn(deployed, updated),
    changed: [...new Set(changed)].sort(),
  };
}

test('a deployed stack is updated in place, with whatever values of the context', () => {
  // CloudFormation replaces a resource for none of these properties (a job definition gets another revision).
  expect(changesBy(IN_PLACE)).toEqual({
    added: ['AWS::IAM::User', 'AWS::IAM::Policy'],
    removed: ['AWS::EC2::SecurityGroup'],
    changed: [
      'AWS::Batch::ComputeEnvironment.ComputeResources',
      'AWS::Batch::JobDefinition.ContainerProperties',
      'AWS::Batch::JobDefinition.Timeout',
      'AWS::Events::Rule.ScheduleExpression',
      'AWS::IAM::Policy.PolicyDocument',
      'AWS::Lambda::Function.Environment',
      'AWS::S3::Bucket.BucketEncryption',
      'AWS::S3::Bucket.LifecycleConfiguration',
      'AWS::StepFunctions::StateMachine.DefinitionString',
    ],
  });
});

test('another VPC replaces only the security group, and another bucket name only the bucket', () => {
  const nothing = { added: [], removed: [] };
  expect(changesBy({ vpcId: REPLACING.vpcId })).toEqual({ ...nothing, changed: ['AWS::EC2::SecurityGroup.VpcId'] });
  expect(changesBy({ bucketName: REPLACING.bucketName })).toEqual({
    ...nothing,
    changed: ['AWS::S3::Bucket.BucketName'],
  });
});

test('a change of every key of the context is covered, here and in the documentation', () => {
  const keys = Object.keys(readContext({ ...CONTEXT, ...IN_PLACE, ...REPLACING })).sort();
  expect(Object.keys({ ...IN_PLACE, ...REPLACING }).sort()).toEqual(keys);
  const table = readFileSync('docs/operations.md', 'utf8').split('## Change a deployed stack')[1]?.split('\n### ')[0];
  expect(keys.filter((key) => table?.includes(`\`${key}\``) !== true)).toEqual([]);
});

test('the compute environment is one that Batch lets CloudFormation update', () => {
  const [environment] = Object.values(resourcesOf(template, 'AWS::Batch::ComputeEnvironment'));
  expect(environment?.Properties).toMatchObject({ ReplaceComputeEnvironment: false });
  // On Fargate, Batch refuses an update with any of these.
  expect(environment?.Properties).not.toHaveProperty('UpdatePolicy');
  expect(environment?.Properties.ComputeResources).not.toHaveProperty('UpdateToLatestImageVersion');
});

test('the scan has the period of the context', () => {
  synthesize({ scanIntervalMinutes: '1' }).hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 minute)',
  });
});
