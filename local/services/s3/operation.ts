import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Target } from './request.ts';
import { preconditionFailed, S3Error } from './response.ts';

/** Query parameters that do not select an operation. */
const OPTIONS = new Set(['x-id', 'prefix', 'delimiter', 'start-after', 'max-parts']);

/**
 * The method, what it applies to, and the query parameters that select an operation in alphabetical order, such as
 * `PUT object?partNumber&uploadId`.
 *
 * @throws {S3Error} NotImplemented for headers that would change the operation
 */
export function operationOf({ method = '', headers }: IncomingMessage, { key, query }: Target): string {
  const condition = method === 'GET' || method === 'HEAD' ? 'if-match' : 'if-none-match';
  const refused = Object.keys(headers).find((name) => /^(if-|x-amz-copy-source)/.test(name) && name !== condition);
  if (refused !== undefined) {
    throw new S3Error(501, 'NotImplemented', `${method} with the header ${refused} is not implemented.`);
  }
  const selectors = [...new Set(query.keys())].filter((name) => !OPTIONS.has(name)).sort();
  return `${method} ${key === '' ? 'bucket' : 'object'}${selectors.length === 0 ? '' : '?'}${selectors.join('&')}`;
}

/** @throws {S3Error} PreconditionFailed if `If-Match` has another ETag */
export function requireMatch({ 'if-match': etag = '*' }: IncomingHttpHeaders, actual: string): void {
  if (etag !== '*' && etag.replaceAll('"', '') !== actual) {
    throw preconditionFailed();
  }
}

/** Whether an object must not exist yet. @throws {S3Error} NotImplemented for conditions other than that */
export function isConditionalWrite({ 'if-none-match': condition }: IncomingHttpHeaders): boolean {
  if (condition !== undefined && condition !== '*') {
    throw new S3Error(501, 'NotImplemented', 'If-None-Match is implemented only with the value *.');
  }
  return condition === '*';
}
