import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Loopback } from '../../local/host/loopback.ts';
import { readStackOutputs } from '../../operator/stack-outputs.ts';
import { StackNotFound } from '../../operator/stack.ts';
import { serveStack } from './cloudformation.ts';

let deployed: Loopback;
let other: Loopback;

beforeAll(async () => {
  deployed = await serveStack('AutoDump', { outputs: { ScannerName: 'AutoDump-Scanner', BucketName: 'dumps' } });
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

test('a stack of another version, which lacks an output, is reported', async () => {
  await expect(read(deployed, 'BucketName', 'JobQueueArn')).rejects.toThrow(
    'The stack AutoDump has no output JobQueueArn: another version of AutoDump is deployed.',
  );
});

test('a stack that does not exist is reported as such', async () => {
  await expect(read(other, 'ScannerName')).rejects.toThrow(StackNotFound);
});
