import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadRequest } from './read-request.ts';

/**
 * @returns the request with the value of `X-Amz-Target`: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export function readJson({ headers }: IncomingMessage, content: string): ReadRequest {
  return { target: String(headers['x-amz-target']), body: () => JSON.parse(content) as unknown, reply: sendJson };
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() };
  response.writeHead(status, headers).end(JSON.stringify(epochSeconds(body)));
}

/** Replaces dates by seconds since 1970, the format of these protocols. */
function epochSeconds(value: unknown): unknown {
  if (value instanceof Date) {
    return value.getTime() / 1000;
  }
  if (Array.isArray(value)) {
    return value.map(epochSeconds);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, epochSeconds(inner)]));
}
