import { S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { expect, test } from '@jest/globals';
import { awsFailure, isTaken } from '../../docker/aws.ts';

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
