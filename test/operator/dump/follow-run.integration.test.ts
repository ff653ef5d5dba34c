import { SFNClient } from '@aws-sdk/client-sfn';
import { expect, test } from '@jest/globals';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import { serve, ServiceError } from '../../../local/services/protocol/json-endpoint.ts';
import { followRun } from '../../../operator/dump/follow-run.ts';

const ARN = 'arn:aws:states:us-west-2:123456789012:execution:AutoDump:prod_orders';

const aborted = { executionArn: ARN, stateMachineArn: 'machine', status: 'ABORTED', cause: 'Maintenance' };

/** Follows a run that Step Functions describes like this, one look after the other. @returns how it ended */
async function followed(...looks: (object | 'missing')[]) {
  const server = await serve(() => () => {
    const look = looks.shift() ?? 'missing';
    if (look === 'missing') {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${ARN}'`);
    }
    return look;
  });
  const client = new SFNClient({
    endpoint: server.url,
    region: 'us-west-2',
    credentials: credentialsOf(ADMINISTRATOR),
  });
  try {
    return await followRun(client, ARN, { report: () => Promise.resolve() }, () => Promise.resolve());
  } finally {
    client.destroy();
    await server.stop();
  }
}

test('a run that Step Functions does not show yet, right after its start, is followed', async () => {
  expect(await followed('missing', aborted)).toEqual({ status: 1, messages: ['The run was stopped. Maintenance'] });
});

test('one that it does not show later is gone', async () => {
  await expect(followed('missing', 'missing')).rejects.toThrow('Execution Does Not Exist');
});
