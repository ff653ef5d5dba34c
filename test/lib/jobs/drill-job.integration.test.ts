import { describe, expect, test } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { makeStack, synthesize } from '../unbundled.ts';

const template = synthesize();
const withGroups = Template.fromStack(makeStack({ securityGroupIds: 'sg-0123456789abcdef0' }));

describe('the drill job', () => {
  const definitionOf = (JobDefinitionName: string): Record<string, unknown> => {
    const found = template.findResources('AWS::Batch::JobDefinition', { Properties: { JobDefinitionName } });
    const [{ Properties = {} } = {}] = Object.values(found) as { readonly Properties?: Record<string, unknown> }[];
    return Properties;
  };

  test('runs as the dump job does, from an image of its own, and knows only where the dumps are', () => {
    const [dump, drill] = ['AutoDump-dump', 'AutoDump-drill'].map(definitionOf);
    const container = dump?.ContainerProperties as Record<string, unknown>;
    expect(drill).toEqual({
      ...dump,
      JobDefinitionName: 'AutoDump-drill',
      ContainerProperties: {
        ...container,
        Command: ['drill'],
        Image: expect.not.objectContaining(container.Image as object),
        Environment: [
          { Name: 'AUTODUMP_BUCKETS', Value: { Ref: expect.stringMatching(/^ArchiveBucket/) } },
          { Name: 'TMPDIR', Value: '/scratch' },
        ],
        JobRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^DrillJobJobRole/), 'Arn'] },
        ExecutionRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^DrillJobExecutionRole/), 'Arn'] },
        LogConfiguration: {
          LogDriver: 'awslogs',
          Options: expect.objectContaining({ 'awslogs-stream-prefix': 'drill' }),
        },
      },
    });
  });

  test.each([
    ['by default', template],
    ['and also if the context names groups for the jobs', withGroups],
  ])('reaches nothing but port 443, %s', (_, stack) => {
    stack.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'AutoDump drills',
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443, IpProtocol: 'tcp' })],
      SecurityGroupIngress: Match.absent(),
    });
    stack.hasResourceProperties('AWS::Batch::ComputeEnvironment', {
      ComputeResources: {
        SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^DrillJobSecurityGroup'), 'GroupId'] }],
      },
    });
  });
});
