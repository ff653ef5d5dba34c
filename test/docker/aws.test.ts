import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { awsFailure, isTaken, isTransient, openS3 } from '../../docker/aws.ts';

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
  [answer('IncompleteBody', 400), 'tryAgain'],
  [answer('InvalidPart', 400), 'tryAgain'],
  [answer('ExpiredToken', 400), 'tryAgain'],
  [answer('RequestTimeTooSkewed', 403), 'tryAgain'],
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

test('an object that was damaged on its way is worth another try', async () => {
  respond = (_, response) => {
    response
      .writeHead(200, { 'x-amz-request-id': '1', 'x-amz-checksum-crc32': 'AAAAAA==', 'content-length': 5 })
      .end('bytes');
  };
  const s3 = openS3('us-west-2');
  const read = s3.send(new GetObjectCommand(OBJECT)).then(({ Body }) => Body?.transformToString());
  const error: unknown = await read.catch((reason: unknown) => reason);
  s3.destroy();
  expect(awsFailure('read s3://dumps/key', error)).toMatchObject({
    reason: 'tryAgain',
    message: expect.stringContaining('Could not read s3://dumps/key: Checksum mismatch: expected'),
  });
});

test.each([
  [answer('PreconditionFailed', 412), true],
  [answer('ConditionalRequestConflict', 409), false],
  [named('PreconditionFailed'), false],
])('%s means that the key is taken: %s', (error, taken) => {
  expect(isTaken(error)).toBe(taken);
});

let server: Server;
let respond: RequestListener;

beforeAll(async () => {
  server = createServer((request, response) => {
    respond(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  process.env.AWS_MAX_ATTEMPTS = '1';
  process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const OBJECT = { Bucket: 'dumps', Key: 'key' };
const PAGE = '<html><body>Please log in.</body></html>';

describe('a response without a request ID is not one of AWS, and another attempt is worth while', () => {
  test.each([
    ['PutObject', 200, ''],
    ['PutObject', 200, PAGE],
    ['PutObject', 412, PAGE],
    ['HeadObject', 200, ''],
    ['HeadObject', 404, ''],
    ['GetObject', 200, ''],
    ['GetObject', 200, PAGE],
    ['GetObject', 307, ''],
    ['GetObject', 403, PAGE],
    ['GetObject', 404, PAGE],
    ['AbortMultipartUpload', 200, PAGE],
    ['AbortMultipartUpload', 404, '<Error><Code>NoSuchUpload</Code></Error>'],
    ['ListObjectsV2', 200, '<ListBucketResult/>'],
    ['ListObjectsV2', 511, PAGE],
  ])('%s, %i: %s', async (operation, status, body) => {
    respond = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(status, { 'Content-Type': 'text/html' }).end(body);
      });
    };
    const s3 = openS3('us-west-2');
    const operations: Readonly<Record<string, () => Promise<unknown>>> = {
      PutObject: () => s3.send(new PutObjectCommand({ ...OBJECT, Body: 'bytes' })),
      HeadObject: () => s3.send(new HeadObjectCommand(OBJECT)),
      GetObject: () => s3.send(new GetObjectCommand(OBJECT)),
      AbortMultipartUpload: () => s3.send(new AbortMultipartUploadCommand({ ...OBJECT, UploadId: 'id' })),
      ListObjectsV2: () => s3.send(new ListObjectsV2Command({ Bucket: 'dumps' })),
    };
    const error: unknown = await operations[operation]?.().catch((reason: unknown) => reason);
    s3.destroy();
    expect(isTaken(error)).toBe(false);
    expect(isTransient(error)).toBe(true);
    expect(awsFailure('call S3', error)).toMatchObject({
      reason: 'tryAgain',
      message: expect.stringMatching(
        new RegExp(
          `^Could not call S3: The response with HTTP status ${status} has no request ID.* proxy or a login page`,
        ),
      ),
    });
  });
});

test.each([200, 500])('a response that never ends, with status %i, is broken off', async (status) => {
  let closed: Promise<unknown> = Promise.resolve();
  respond = (_, response) => {
    const flood = () => {
      while (response.write(Buffer.alloc(2 ** 20, ' '))) {
        // The reader is as fast.
      }
    };
    closed = once(response.writeHead(status, { 'x-amz-request-id': 'id' }).on('drain', flood), 'close');
    flood();
  };
  const s3 = openS3('us-west-2');
  const error: unknown = await s3
    .send(new ListObjectsV2Command({ Bucket: 'dumps' }))
    .catch((reason: unknown) => reason);
  expect(awsFailure('list', error)).toMatchObject({ reason: 'tryAgain' });
  await closed;
  s3.destroy();
});

test('a response that trickles in for ever ends the call, and another attempt is worth while', async () => {
  respond = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/xml' });
    const trickle = setInterval(() => response.write(' '), 20);
    response.on('close', () => {
      clearInterval(trickle);
    });
  };
  const s3 = openS3('us-west-2', 200);
  const error: unknown = await s3
    .send(new ListObjectsV2Command({ Bucket: 'dumps' }))
    .catch((reason: unknown) => reason);
  expect(awsFailure('list', error)).toMatchObject({
    reason: 'tryAgain',
    message: 'Could not list: There was no complete response within 0.2 s.',
  });
  s3.destroy();
});
