import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Loopback } from '../../local/host/loopback.ts';
import { readStackOutputs, StackNotFound } from '../../operator/stack.ts';
import { serveStack } from './support/cloudformation.ts';

let deployed: Loopback;
let other: Loopback;

beforeAll(async () => {
  deployed = await serveStack('AutoDump', {
    outputs: { ScannerName: 'AutoDump-Scanner', BucketName: 'dumps' },
    status: 'UPDATE_IN_PROGRESS',
  });
  other = await serveStack('Other', {});
});

afterAll(async () => {
  await deployed.stop();
  await other.stop();
});

/** Reads outputs of the stack from a server. */
async function read({ url }: Loopback, ...keys: string[]) {
  const client = new CloudFormationClient({
    endpoint: url,
    region: 'us-west-2',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  try {
    return await readStackOutputs(client, keys);
  } finally {
    client.destroy();
  }
}

test('outputs are read by their keys', async () => {
  expect(await read(deployed, 'ScannerName')).toEqual({ ScannerName: 'AutoDump-Scanner' });
});

test('a stack that lacks an output is reported with its status', async () => {
  await expect(read(deployed, 'BucketName', 'JobQueueArn')).rejects.toThrow(
    'The stack AutoDump has no output JobQueueArn. Its status is UPDATE_IN_PROGRESS: if it is being deployed, wait;',
  );
});

test('a stack that does not exist is reported as such', async () => {
  await expect(read(other, 'ScannerName')).rejects.toThrow(StackNotFound);
});
