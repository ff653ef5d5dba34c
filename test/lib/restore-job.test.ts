import { describe, expect, test } from '@jest/globals';
import { resourcesOf, synthesize } from './synthesize.ts';

const template = synthesize();

describe('the restore job', () => {
  test('is the image of the dumps, told to restore by whoever submits it, and never tried again', () => {
    const [dump, restore] = ['AutoDump-dump', 'AutoDump-restore'].map(
      (JobDefinitionName) =>
        Object.values(template.findResources('AWS::Batch::JobDefinition', { Properties: { JobDefinitionName } }))[0],
    ) as { Properties: { ContainerProperties: Record<string, unknown> } }[];
    expect(restore?.Properties).toMatchObject({
      RetryStrategy: { Attempts: 1 },
      ContainerProperties: {
        Image: dump?.Properties.ContainerProperties.Image,
        Command: ['restore'],
        Environment: [{ Name: 'TMPDIR', Value: '/scratch' }],
        User: '10001',
        ReadonlyRootFilesystem: true,
        ResourceRequirements: dump?.Properties.ContainerProperties.ResourceRequirements,
      },
    });
  });

  test('has a queue of its name, which goes before that of dumps on the same machines', () => {
    const queues = Object.values(resourcesOf(template, 'AWS::Batch::JobQueue')).map(({ Properties }) => Properties);
    expect(queues).toEqual([
      expect.objectContaining({ Priority: 1 }),
      expect.objectContaining({ JobQueueName: 'AutoDump-restore', Priority: 10 }),
    ]);
    expect(queues[0]?.ComputeEnvironmentOrder).toEqual(queues[1]?.ComputeEnvironmentOrder);
  });

  test('is submitted by nothing in the stack', () => {
    const granted = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(granted).toContain('AutoDump-dump');
    expect(granted).not.toContain('AutoDump-restore');
  });
});
