import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerClient, SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { Failure } from './failure.ts';
import { networkCode } from './network.ts';

/**
 * 10 s to connect, 60 s without any data: by default the SDK would wait indefinitely for a service that has vanished.
 * The number of attempts comes from the SDK's own variable AWS_MAX_ATTEMPTS, which the image sets.
 */
const TIMEOUTS = { requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 } };

export function openSecretsManager(region: string): SecretsManagerClient {
  return new SecretsManagerClient({ region, ...TIMEOUTS });
}

/** Without a logger, the SDK writes to standard error that it does not retry a request whose body is a stream. */
const SILENT_LOGGER = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Every failure is reported by the error that the SDK throws.
}

export function openS3(region: string): S3Client {
  return new S3Client({ region, logger: SILENT_LOGGER, ...TIMEOUTS });
}

/**
 * Errors that may pass although their status is 4xx. An upload that does not exist was completed or aborted in the
 * meantime.
 */
const TRANSIENT: ReadonlySet<string> = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeout',
  'ThrottlingException',
  'XAmzContentChecksumMismatch',
]);

const TOO_MANY_REQUESTS = 429;

type ServiceError = S3ServiceException | SecretsManagerServiceException;

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof S3ServiceException || error instanceof SecretsManagerServiceException;
}

function statusOf({ $metadata }: ServiceError): number {
  return $metadata.httpStatusCode ?? 500;
}

/** Whether the service or its provider of credentials (on Fargate an endpoint of the task) could not be reached. */
function isUnreachable(error: unknown): error is Error {
  return (
    networkCode(error) !== undefined ||
    (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'CredentialsProviderError'))
  );
}

/** Whether the response could not be read: it may be that of a proxy, or be cut off. The SDK adds it to its error. */
function isUnreadable(error: unknown): error is Error {
  return error instanceof Error && '$response' in error && !isServiceError(error);
}

/** Whether another attempt may succeed where the SDK threw this. */
export function isTransient(error: unknown): boolean {
  if (isServiceError(error)) {
    const status = statusOf(error);
    return status >= 500 || status === TOO_MANY_REQUESTS || TRANSIENT.has(error.name);
  }
  return isUnreachable(error) || isUnreadable(error);
}

/** Whether a conditional write failed because the key is taken. */
export function isTaken(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412;
}

/**
 * Converts an error that the SDK threw after its own retries into a {@link Failure}: `tryAgain` or `refused`. An error of
 * neither a service nor the network is returned unchanged.
 *
 * @param action what was attempted, to follow "Could not": `write s3://bucket/key`
 */
export function awsFailure(action: string, error: unknown): unknown {
  if (isUnreadable(error)) {
    return new Failure('tryAgain', `Could not ${action}: the response is not one of AWS, but perhaps of a proxy.`, {
      cause: error,
    });
  }
  if (!isServiceError(error) && !isUnreachable(error)) {
    return error;
  }
  const detail = isServiceError(error)
    ? `${error.name}: ${error.message} (HTTP status ${statusOf(error)})`
    : error.message;
  return new Failure(isTransient(error) ? 'tryAgain' : 'refused', `Could not ${action}: ${detail}`, { cause: error });
}
