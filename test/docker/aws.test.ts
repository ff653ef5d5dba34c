import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListObjectsV2Command, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { expect, test } from '@jest/globals';
import { awsFailure, isTaken, openS3 } from '../../docker/aws.ts';

function answer(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, message: 'as S3 says', $fault: 'server', $metadata: { httpStatusCode } });
}

function named(name: string): Error {
  return Object.assign(new Error('as the SDK says'), { name });
}

function coded(code: string): Error {
  return Object.assign(new Error('as Node.js says'), { code });
}

test.each([
  [answer('SlowDown', 503), 'tryAgain'],
  [answer('InternalError', 500), 'tryAgain'],
  [answer('TooManyRequests', 429), 'tryAgain'],
  [answer('RequestTimeout', 400), 'tryAgain'],
  [answer('BadDigest', 400), 'tryAgain'],
  [answer('ConditionalRequestConflict', 409), 'tryAgain'],
  [answer('NoSuchUpload', 404), 'tryAgain'],
  [answer('NoSuchBucket', 404), 'refused'],
  [answer('AccessDenied', 403), 'refused'],
  [answer('PermanentRedirect', 301), 'refused'],
  [
    new SecretsManagerServiceException({
      name: 'DecryptionFailure',
      message: 'm',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    }),
    'refused',
  ],
  [coded('ECONNRESET'), 'tryAgain'],
  [coded('ENOTFOUND'), 'tryAgain'],
  [named('TimeoutError'), 'tryAgain'],
  [named('CredentialsProviderError'), 'tryAgain'],
])('%s: %s', (error, reason) => {
  expect(awsFailure('upload to s3://dumps/key', error)).toMatchObject({
    reason,
    message: expect.stringMatching(new RegExp(`^Could not upload to s3://dumps/key: .*${error.message}`)),
  });
});

test('an error of neither AWS nor the network is returned unchanged', () => {
  const error = new TypeError('a fault of ours');
  expect(awsFailure('upload', error)).toBe(error);
});

test.each([
  [answer('PreconditionFailed', 412), true],
  [answer('ConditionalRequestConflict', 409), false],
  [named('PreconditionFailed'), false],
])('%s means that the key is taken: %s', (error, taken) => {
  expect(isTaken(error)).toBe(taken);
});

test('a response that trickles in for ever ends the call, and another attempt is worth while', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/xml' });
    const trickle = setInterval(() => response.write(' '), 20);
    response.on('close', () => {
      clearInterval(trickle);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '1';
  process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${port}`;
  const s3 = openS3('us-west-2', 200);
  const error: unknown = await s3
    .send(new ListObjectsV2Command({ Bucket: 'dumps' }))
    .catch((reason: unknown) => reason);
  expect(awsFailure('list', error)).toMatchObject({
    reason: 'tryAgain',
    message: 'Could not list: There was no complete response within 0.2 s.',
  });
  s3.destroy();
  server.closeAllConnections();
  server.close();
});
