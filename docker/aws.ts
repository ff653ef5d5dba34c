import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerClient, SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { Failure } from './failure.ts';
import { networkCode } from './network.ts';

/**
 * A connection in 10 s, and a sign of life every minute: otherwise the SDK would wait for a vanished service for ever.
 * How often it tries is set by its own variable AWS_MAX_ATTEMPTS, in the image.
 */
const PATIENCE = { requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 } };

export function openSecretsManager(region: string): SecretsManagerClient {
  return new SecretsManagerClient({ region, ...PATIENCE });
}

/** Without one of its own, the SDK writes to our standard error that it does not repeat a request with a stream. */
const SILENCE = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Whatever fails is told by the error.
}

export function openS3(region: string): S3Client {
  return new S3Client({ region, logger: SILENCE, ...PATIENCE });
}

/**
 * Errors with a status of 4xx that are nevertheless worth another try. A vanished upload is one that was completed or
 * aborted meanwhile.
 */
const PASSING: ReadonlySet<string> = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeout',
  'ThrottlingException',
  'XAmzContentChecksumMismatch',
]);

const TOO_MANY_REQUESTS = 429;

/** Whether a conditional write found that the key is taken. */
export function isTaken(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412;
}

/**
 * Turns what the SDK threw, after its own retries, into a failure of the run; what did not come from a service or the
 * network is returned as it is.
 *
 * @param doing what was attempted, to follow "Could not": `write s3://bucket/key`
 */
export function awsFailure(doing: string, error: unknown): unknown {
  if (error instanceof S3ServiceException || error instanceof SecretsManagerServiceException) {
    const status = error.$metadata.httpStatusCode ?? 500;
    const passing = status >= 500 || status === TOO_MANY_REQUESTS || PASSING.has(error.name);
    const detail = `${error.name}: ${error.message} (HTTP status ${status})`;
    return new Failure(passing ? 'tryAgain' : 'refused', `Could not ${doing}: ${detail}`, { cause: error });
  }
  // The service that gives out credentials is on the network too: on Fargate the task's own endpoint.
  if (
    networkCode(error) !== undefined ||
    (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'CredentialsProviderError'))
  ) {
    return new Failure('tryAgain', `Could not ${doing}: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
  return error;
}
