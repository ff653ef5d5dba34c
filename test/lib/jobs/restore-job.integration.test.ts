import { describe, expect, test } from '@jest/globals';
import { resourcesOf, synthesize } from '../unbundled.ts';

const template = synthesize();

describe('the restore job', () => {
  test('runs the image of the dumps with the command restore, and is never retried', () => {
    const [dump, restore] = ['AutoDump-dump', 'AutoDump-restore'].map(
      (JobDefinitionName) =>
        Object.values(template.findResources('AWS::Batch::JobDefinition', { Properties: { JobDefinitionName } }))[0],
    ) as { Properties: { ContainerProperties: Record<string, unknown> } }[];
    expect(restore?.Properties).toMatchObject({
      RetryStrategy: { Attempts: 1 },
      ContainerProperties: {
        Image: dump?.Properties.ContainerProperties.Image,
        Command: ['restore'],
        Environment: [{ Name: 'AUTODUMP_BUCKETS' }, { Name: 'TMPDIR', Value: '/scratch' }],
        User: '10001',
        Volumes: dump?.Properties.ContainerProperties.Volumes,
        ReadonlyRootFilesystem: true,
        ResourceRequirements: dump?.Properties.ContainerProperties.ResourceRequirements,
      },
    });
  });

  test('has its own queue, which takes priority over queued dumps and checks in the same compute environment', () => {
    const queues = Object.values(resourcesOf(template, 'AWS::Batch::JobQueue')).map(({ Properties }) => Properties);
    expect(queues).toEqual([
      expect.objectContaining({ Priority: 1 }),
      expect.objectContaining({ JobQueueName: 'AutoDump-restore', Priority: 10 }),
      expect.objectContaining({ JobQueueName: 'AutoDump-drill' }),
      expect.objectContaining({ Priority: 0 }),
    ]);
    const [dumps, restores, drills, checks] = queues.map(({ ComputeEnvironmentOrder }) => ComputeEnvironmentOrder);
    expect([restores, checks]).toEqual([dumps, dumps]);
    expect(drills).not.toEqual(dumps);
  });

  test('cannot be submitted by anything in the stack', () => {
    const granted = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(granted).toContain('AutoDump-dump');
    expect(granted).not.toContain('AutoDump-restore');
  });
});
