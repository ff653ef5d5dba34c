import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SecretsManager {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Answers every GetSecretValue with this name and value; without a value, as if the secret did not exist.
 *
 * @param first value that the first GetSecretValue is answered with
 */
export async function startSecretsManager(
  name: string,
  value: string | undefined,
  first = value,
): Promise<SecretsManager> {
  let next = first;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { SecretId: arn } = JSON.parse(body) as { SecretId: string };
      response.setHeader('Content-Type', 'application/x-amz-json-1.1').setHeader('x-amzn-requestid', 'request');
      if (value === undefined) {
        response.statusCode = 400;
        response.end(
          JSON.stringify({ __type: 'ResourceNotFoundException', message: "Secrets Manager can't find the secret." }),
        );
      } else {
        response.end(JSON.stringify({ ARN: arn, Name: name, SecretString: next }));
        next = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' ? value : next;
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
