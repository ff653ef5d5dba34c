import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Interrupted } from '../../../docker/failure.ts';
import { fetchSecret } from '../../../docker/plan/fetch-secret.ts';

const SECRET = {
  secretArn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf',
  region: 'us-west-2',
};

let server: Server;
/** What the service answers; undefined for nothing at all. */
let answer: string | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (answer !== undefined) {
        response.setHeader('Content-Type', 'application/x-amz-json-1.1');
        response.setHeader('x-amzn-requestid', 'request').end(answer);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = `http://127.0.0.1:${port}`;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '1';
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const forever = new AbortController().signal;

test.each([
  ['a page', '<html>Please log in.</html>', 'tryAgain'],
  ['nothing', '', 'tryAgain'],
  ['no object', 'null', 'tryAgain'],
  ['no name', '{"SecretString":"{}"}', 'tryAgain'],
  ['no value', '{"Name":"prod/app"}', 'tryAgain'],
  ['a binary value', '{"Name":"prod/app","SecretBinary":"AAAA"}', 'badSecret'],
])('an answer with %s is not a secret', async (_, text, reason) => {
  answer = text;
  await expect(fetchSecret(SECRET, forever)).rejects.toMatchObject({ name: 'Failure', reason });
});

test('a service that does not answer does not keep the program from ending', async () => {
  answer = undefined;
  const interruption = new AbortController();
  server.once('request', () => {
    interruption.abort(new Interrupted('SIGTERM'));
  });
  await expect(fetchSecret(SECRET, interruption.signal)).rejects.toThrow('Ended by SIGTERM');
});
