import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidContext, readContext } from '../../lib/context.ts';
import { memoryChoices, VCPUS } from '../../lib/jobs/fargate.ts';
import { CONTEXT } from './example-context.ts';

function problems(context: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    readContext(context);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidContext);
    return (error as InvalidContext).problems;
  }
}

describe('the context', () => {
  test('requires VPC, subnets and zones, and has defaults for the rest', () => {
    expect(readContext(CONTEXT)).toEqual({
      vpcId: 'vpc-0a5fd51718cbc523a',
      privateSubnetIds: ['subnet-08b42fcaa8530abaf', 'subnet-017d971130aaa412a'],
      availabilityZones: ['us-west-2a', 'us-west-2b'],
      bucketName: undefined,
      extraBucketNames: [],
      createReadOnlyUser: false,
      retentionDays: 35,
      kmsKeyArn: undefined,
      securityGroupIds: [],
      maxConcurrentDumps: 10,
      jobVcpu: 1,
      jobMemoryMiB: 2048,
      ephemeralStorageGiB: 100,
      dumpTimeoutHours: 12,
      cpuArchitecture: 'X86_64',
      scanIntervalMinutes: 60,
      overdueAfterMinutes: 120,
    });
  });

  test('may also hold the types of cdk.json: numbers, booleans, lists; and blanks', () => {
    const context = {
      ...CONTEXT,
      privateSubnetIds: CONTEXT.privateSubnetIds.split(','),
      availabilityZones: 'us-west-2a, us-west-2b',
    };
    expect(readContext({ ...context, retentionDays: 7, createReadOnlyUser: true, jobVcpu: 0.25 })).toMatchObject({
      privateSubnetIds: ['subnet-08b42fcaa8530abaf', 'subnet-017d971130aaa412a'],
      availabilityZones: ['us-west-2a', 'us-west-2b'],
      retentionDays: 7,
      createReadOnlyUser: true,
      jobVcpu: 0.25,
      jobMemoryMiB: 512,
    });
  });

  test('accepts a single-Region or a multi-Region KMS key', () => {
    const arn = 'arn:aws:kms:us-west-2:123456789012:key/';
    for (const id of ['1234abcd-12ab-34cd-56ef-1234567890ab', 'mrk-1234abcd12ab34cd56ef1234567890ab']) {
      expect(readContext({ ...CONTEXT, kmsKeyArn: `${arn}${id}` }).kmsKeyArn).toBe(`${arn}${id}`);
    }
  });

  test('is refused with all of its problems', () => {
    expect(problems({ retentionDays: '0', cpuArchitecture: 'arm', scanIntervalMinute: '5' })).toEqual([
      'scanIntervalMinute is not known: did you mean scanIntervalMinutes?',
      'privateSubnetIds is missing: give a comma-separated list of subnet IDs such as subnet-08b42fcaa8530abaf.',
      'availabilityZones is missing: give a comma-separated list of availability zones such as us-west-2a.',
      'vpcId is missing: give a VPC ID such as vpc-0a5fd51718cbc523a.',
      'retentionDays is "0": allowed is a whole number from 1 to 36500.',
      'cpuArchitecture is "arm": allowed is ARM64, X86_64.',
    ]);
  });

  test.each([
    ['vpcId', 'vpc-1', 'a VPC ID'],
    ['vpcId', 'subnet-08b42fcaa8530abaf', 'a VPC ID'],
    ['vpcId', 'vpc-0a5fd51718cbc523a0', 'a VPC ID'],
    ['privateSubnetIds', 'subnet-08b42fcaa8530abaf,subnet-08b42fcaa8530abaf', 'more than once'],
    ['privateSubnetIds', 'subnet-08b42fcaa8530abaf,', 'comma-separated'],
    ['privateSubnetIds', '', 'comma-separated'],
    ['availabilityZones', 'us-west-2a', '1 zone(s) for 2 subnet(s)'],
    ['availabilityZones', 'us-west-2,us-west-2', 'availability zones such as'],
    ['availabilityZones', 'us-west-2a,eu-west-1b', 'us-west-2 and eu-west-1'],
    ['availabilityZones', 'us-west-2-lax-1a,us-west-1a', 'us-west-2 and us-west-1'],
    ['bucketName', 'My_Bucket', '3 to 63'],
    ['bucketName', '192.168.0.1', '3 to 63'],
    ['bucketName', 'ab', '3 to 63'],
    ['extraBucketNames', 'good-one,Bad', '3 to 63'],
    ['createReadOnlyUser', 'yes', 'true or false'],
    ['retentionDays', '1.5', 'whole number'],
    ['kmsKeyArn', 'arn:aws:kms:us-west-2:123456789012:alias/x', 'not of an alias'],
    ['securityGroupIds', 'sg-x', 'security group IDs'],
    ['securityGroupIds', 'sg-0123456789abcdef0,sg-0123456789abcdef0', 'more than once'],
    ['extraBucketNames', 'abc,abc', 'more than once'],
    ['maxConcurrentDumps', '-1', 'from 1 to 1000'],
    ['jobVcpu', '3', '0.25, 0.5, 1, 2, 4, 8, 16'],
    ['jobMemoryMiB', '512', '2048, 3072'],
    ['ephemeralStorageGiB', '20', 'from 21 to 200'],
    ['ephemeralStorageGiB', '201', 'from 21 to 200'],
    ['dumpTimeoutHours', '169', 'from 1 to 168'],
    ['scanIntervalMinutes', '1441', 'from 1 to 1440'],
    ['overdueAfterMinutes', '1201', 'from 1 to 1200'],
  ])('is refused with %s=%s', (key, value, reason) => {
    const [problem, ...others] = problems({ ...CONTEXT, [key]: value });
    expect(problem).toContain(key);
    expect(problem).toContain(reason);
    expect(others).toEqual([]);
  });

  test('is refused with one subnet in one zone', () => {
    const context = { privateSubnetIds: 'subnet-08b42fcaa8530abaf', availabilityZones: 'us-west-2a' };
    expect(problems({ ...CONTEXT, ...context })).toEqual([
      'privateSubnetIds names one subnet: give at least two, comma-separated, in different zones.',
    ]);
  });

  test.each(['VpcId', 'vpcid', 'vpcIds', 'scanIntervallMinutes', 'retentionDay'])(
    'reports %s as a misspelled key',
    (key) => {
      expect(problems({ ...CONTEXT, [key]: 'x' })).toEqual([
        expect.stringMatching(`^${key} is not known: did you mean`),
      ]);
    },
  );

  test.each([
    '@aws-cdk/core:newStyleStackSynthesis',
    'aws:cdk:enable-path-metadata',
    'unrelated',
    'availability-zones:account',
  ])('ignores %s', (key) => {
    expect(problems({ ...CONTEXT, [key]: true })).toEqual([]);
  });
});

describe('the size of a job', () => {
  test('can be any that Fargate offers', () => {
    expect(
      VCPUS.map((vcpu) => [vcpu, memoryChoices(vcpu)[0], memoryChoices(vcpu).at(-1), memoryChoices(vcpu).length]),
    ).toEqual([
      [0.25, 512, 2048, 3],
      [0.5, 1024, 4096, 4],
      [1, 2048, 8192, 7],
      [2, 4096, 16384, 13],
      [4, 8192, 30720, 23],
      [8, 16384, 61440, 12],
      [16, 32768, 122880, 12],
    ]);
  });

  test('is refused if and only if Fargate does not offer it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...VCPUS), fc.integer({ min: 1, max: 240 }), (vcpu, half) => {
        const refused = problems({ ...CONTEXT, jobVcpu: String(vcpu), jobMemoryMiB: String(half * 512) }).length > 0;
        expect(refused).toBe(!memoryChoices(vcpu).includes(half * 512));
      }),
    );
  });
});
