import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './response.ts';

/** A bucket and a key; the key is empty in requests for the bucket itself. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** What a request addresses, decoded. */
export interface Target extends ObjectName {
  readonly query: URLSearchParams;
}

/** The properties of a request that permissions depend on. */
export interface GuardedRequest {
  readonly method: string;
  readonly target: Target;
  readonly headers: IncomingHttpHeaders;
  /** Whether the object exists. */
  readonly exists: boolean;
  /** Tags that the request gives the object; undefined if it gives none. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** Tags that the object has. */
  readonly existingTags: Readonly<Record<string, string>>;
}

/** @throws {S3Error} if the request is not permitted */
export type Guard = (request: GuardedRequest) => Promise<void>;

/** S3 allows keys of up to 1,024 bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/**
 * @param url path-style: `/<bucket>/<key>?<query>`
 * @throws {S3Error} InvalidURI, NotImplemented, InvalidBucketName, KeyTooLongError
 */
export function targetOf(url: string): Target {
  const [, path = '', search = ''] = /^\/([^?]*)\??(.*)$/s.exec(url) ?? [];
  const [bucket = '', ...segments] = decoded(path).split('/');
  const key = segments.join('/');
  if (bucket === '') {
    throw new S3Error(501, 'NotImplemented', 'Requests without a bucket are not implemented.');
  }
  if (bucket.startsWith('.') || /[\\\0]/.test(bucket)) {
    throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Error(400, 'KeyTooLongError', 'Your key is too long.');
  }
  return { bucket, key, query: new URLSearchParams(search) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}
