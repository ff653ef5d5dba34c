import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type {
  DeserializeMiddleware,
  InitializeMiddleware,
  MetadataBearer,
  Pluggable,
  ResponseMetadata,
} from '@smithy/types';
import { Failure } from './failure.ts';
import { networkCode } from './network.ts';
import { limitResponse, LongResponse } from './response-limit.ts';

/**
 * 10 s to connect, 60 s without any data: by default the SDK would wait indefinitely for a service that has vanished.
 * The number of attempts comes from the SDK's own variable AWS_MAX_ATTEMPTS, which the image sets.
 */
export const TIMEOUTS = { requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 } };

/**
 * For a whole call with all its attempts, since a response that trickles in would take for ever. S3 may take several
 * minutes to complete an upload of many parts.
 */
const DEADLINE_MS = 15 * 60_000;

/** Longer than any response with a secret, whose value has at most 64 KiB. */
const SECRET_BYTES = 1024 * 1024;

/** Longer than the manifest of a database with a million tables, and than each part of a dump. */
const OBJECT_BYTES = 128 * 1024 * 1024;

export function openSecretsManager(region: string): SecretsManagerClient {
  const client = new SecretsManagerClient({ region, ...TIMEOUTS });
  client.middlewareStack.use(guards(SECRET_BYTES));
  return client;
}

/** Without a logger, the SDK writes to standard error that it does not retry a request whose body is a stream. */
const SILENT_LOGGER = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Every failure is reported by the error that the SDK throws.
}

/** @param deadline of calls that send no stream, in milliseconds */
export function openS3(region: string, deadline = DEADLINE_MS): S3Client {
  const client = new S3Client({ region, logger: SILENT_LOGGER, ...TIMEOUTS });
  client.middlewareStack.use(guards(OBJECT_BYTES, deadline));
  return client;
}

/** Has every call end, and takes only responses that are those of AWS and not endless. */
export function guards<Input extends object, Output extends MetadataBearer>(
  maxBytes: number,
  deadline = DEADLINE_MS,
): Pluggable<Input, Output> {
  return {
    applyToStack: (stack) => {
      stack.add(endBy(deadline), { step: 'initialize' });
      stack.add(requireRequestId(), AROUND_DESERIALIZER);
      stack.add(limitResponse(maxBytes), BEFORE_DESERIALIZER);
    },
  };
}

/** Ends a call at its deadline, unless it sends a stream, whose length is any. */
function endBy<Input extends object, Output extends object>(deadline: number): InitializeMiddleware<Input, Output> {
  return (next) => async (args) => {
    if ('Body' in args.input && args.input.Body instanceof Readable) {
      return next(args);
    }
    const timer = new AbortController();
    const expired = delay(deadline, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw Object.assign(new Error(`There was no complete response within ${deadline / 1000} s.`), {
        name: 'TimeoutError',
      });
    });
    try {
      return await Promise.race([next(args), expired]);
    } finally {
      timer.abort();
    }
  };
}

/** A response without a request ID. Its `$metadata` decide, as always, whether the SDK makes another attempt. */
class ForeignResponse extends Error {
  override readonly name = 'ForeignResponse';
  readonly $metadata: ResponseMetadata;

  constructor($metadata: ResponseMetadata, cause?: unknown) {
    super(
      `The response with HTTP status ${$metadata.httpStatusCode ?? 'unknown'} has no request ID, as those of AWS have. ` +
        'Something in between probably responded instead, such as a proxy or a login page.',
      { cause },
    );
    this.$metadata = $metadata;
  }
}

const AROUND_DESERIALIZER = { step: 'deserialize', priority: 'high' } as const;
const BEFORE_DESERIALIZER = { step: 'deserialize', priority: 'low' } as const;

/**
 * Takes no response for one of AWS unless it has a request ID: a login page, or an empty response, would pass for a
 * success or for an error of AWS. AWS gives every response such an ID, success or error.
 * Sources: Amazon S3 API reference, Common response headers; AWS JSON 1.1 protocol of Smithy
 */
function requireRequestId<Input extends object, Output extends MetadataBearer>(): DeserializeMiddleware<Input, Output> {
  return (next) => async (args) => {
    const result = await next(args).catch((error: unknown) => {
      const isForeign = isServiceError(error) && error.$metadata.requestId === undefined;
      throw isForeign ? new ForeignResponse(error.$metadata, error) : error;
    });
    const { output } = result;
    if (output !== undefined && output.$metadata.requestId === undefined) {
      if ('Body' in output && output.Body instanceof Readable) {
        output.Body.destroy();
      }
      throw new ForeignResponse(output.$metadata);
    }
    return result;
  };
}

/**
 * Errors that may pass although their status is 4xx. An upload or part that does not exist was completed or aborted in
 * the meantime. A request is too skewed, or its token expired, if it was under way for too long or the clock jumped:
 * the next one has the time of the service and new credentials.
 */
const TRANSIENT: ReadonlySet<string> = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteBody',
  'InvalidPart',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'Throttling',
  'ThrottlingException',
  'XAmzContentChecksumMismatch',
]);

const TOO_MANY_REQUESTS = 429;

type ServiceError = Error & MetadataBearer;

/** Whether a service sent this error. Its class is not asked for, since that would load the client of every service. */
function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && '$fault' in error && '$metadata' in error;
}

function statusOf({ $metadata }: ServiceError): number {
  return $metadata.httpStatusCode ?? 500;
}

/** What the SDK says of an object whose bytes are not those that S3 has a checksum of: it was damaged on its way. */
const DAMAGED = 'Checksum mismatch: expected ';

/**
 * Whether the service or its provider of credentials (on Fargate an endpoint of the task) could not be reached, or what
 * it sent did not arrive as it was.
 */
function isUnreachable(error: unknown): error is Error {
  return (
    networkCode(error) !== undefined ||
    error instanceof ForeignResponse ||
    error instanceof LongResponse ||
    (error instanceof Error &&
      (error.name === 'TimeoutError' || error.name === 'CredentialsProviderError' || error.message.startsWith(DAMAGED)))
  );
}

/**
 * Whether the response could not be read: it may be that of a proxy, or be cut off. The SDK adds the response to its
 * error, and has a name for a status of 200 with an empty body where there must be one.
 */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof Error && !isServiceError(error) && ('$response' in error || error.message === 'S3 aborted request')
  );
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

/** The failure of a call whose response lacks what AWS always returns. @param action see {@link awsFailure} */
export function foreignResponse(action: string, cause?: unknown): Failure {
  return new Failure('tryAgain', `Could not ${action}: the response is not one of AWS, but perhaps of a proxy.`, {
    cause,
  });
}

/**
 * Converts an error that the SDK threw after its own retries into a {@link Failure}: `tryAgain` or `refused`. An error
 * of neither a service nor the network is returned unchanged.
 *
 * @param action what was attempted, to follow "Could not": `write s3://bucket/key`
 */
export function awsFailure(action: string, error: unknown): unknown {
  if (isUnreadable(error)) {
    return foreignResponse(action, error);
  }
  if (!isServiceError(error) && !isUnreachable(error)) {
    return error;
  }
  const detail = isServiceError(error)
    ? `${error.name}: ${error.message} (HTTP status ${statusOf(error)})`
    : error.message;
  return new Failure(isTransient(error) ? 'tryAgain' : 'refused', `Could not ${action}: ${detail}`, { cause: error });
}
