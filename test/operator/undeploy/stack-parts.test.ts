import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Loopback } from '../../../local/host/loopback.ts';
import { StackNotFound } from '../../../operator/stack.ts';
import { readStackParts, stackPartsOf } from '../../../operator/undeploy/stack-parts.ts';
import { serveStack } from '../support/cloudformation.ts';

let server: Loopback;
let client: CloudFormationClient;

beforeAll(async () => {
  server = await serveStack('Other', {});
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  client = new CloudFormationClient({ endpoint: server.url, region: 'us-west-2', credentials });
});

afterAll(async () => {
  client.destroy();
  await server.stop();
});

test('a stack that does not exist is reported as such', async () => {
  await expect(readStackParts(client)).rejects.toThrow(StackNotFound);
});

describe('the deployed stack', () => {
  const template = JSON.stringify({
    Resources: { Bucket: { DeletionPolicy: 'Retain' }, Rule: {}, Machine: { DeletionPolicy: 'Delete' } },
  });
  const resource = (LogicalResourceId: string, ResourceType: string, ResourceStatus = 'CREATE_COMPLETE' as const) => ({
    LogicalResourceId,
    ResourceType,
    ResourceStatus,
    PhysicalResourceId: `${LogicalResourceId}-name`,
    LastUpdatedTimestamp: undefined,
  });

  test('is split into rules, state machines and what CloudFormation retains', () => {
    const resources = [
      resource('Bucket', 'AWS::S3::Bucket'),
      resource('Rule', 'AWS::Events::Rule'),
      resource('Machine', 'AWS::StepFunctions::StateMachine'),
    ];
    expect(stackPartsOf(resources, template)).toEqual({
      rules: ['Rule-name'],
      stateMachines: ['Machine-name'],
      retained: [{ type: 'AWS::S3::Bucket', name: 'Bucket-name' }],
    });
  });

  test('leaves out resources that were deleted or never created', () => {
    const resources = [
      { ...resource('Rule', 'AWS::Events::Rule'), ResourceStatus: 'DELETE_COMPLETE' as const },
      { ...resource('Bucket', 'AWS::S3::Bucket'), PhysicalResourceId: undefined },
    ];
    expect(stackPartsOf(resources, template)).toEqual({ rules: [], stateMachines: [], retained: [] });
  });
});
