import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import { serve } from '../../../local/services/protocol/json-endpoint.ts';
import { startRun } from '../../../operator/dump/start-run.ts';

/** Starts a run by a Scanner that answers like this. */
async function startedBy(answer: object) {
  const server = await serve(() => () => answer);
  const client = new LambdaClient({
    endpoint: server.url,
    region: 'us-west-2',
    credentials: credentialsOf(ADMINISTRATOR),
  });
  try {
    return await startRun(client, 'Scanner', 'prod/orders');
  } finally {
    client.destroy();
    await server.stop();
  }
}

test('a Scanner that fails is reported with its error', async () => {
  const error = { errorType: 'AccessDeniedException', errorMessage: 'not authorized', trace: ['at'] };
  await expect(startedBy({ FunctionError: 'Unhandled', Payload: JSON.stringify(error) })).rejects.toThrow(
    'The function Scanner failed: AccessDeniedException: not authorized',
  );
});

test('a Scanner of an earlier version, which does not know the request and scans, is reported as such', async () => {
  const summary = { secrets: { started: 0, waiting: 3 } };
  await expect(startedBy({ Payload: JSON.stringify(summary) })).rejects.toThrow(
    'The function Scanner does not say that it started a run. Those of earlier versions scan instead:',
  );
});
