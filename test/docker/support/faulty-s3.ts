import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FaultyS3 {
  readonly endpoint: string;
  /** Resolves when the first faulty request arrives. */
  readonly hit: Promise<void>;
  stop(): Promise<void>;
}

/** Selects faulty requests by their method and URL: `PUT /bucket/key?query`. */
export type Selector = (request: string) => boolean;

interface ErrorResponse {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Whether S3 does what it was asked for, and then says this. */
  readonly isDone?: boolean;
}

export const SLOW_DOWN: ErrorResponse = { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };

export const ACCESS_DENIED: ErrorResponse = { status: 403, code: 'AccessDenied', message: 'Access Denied' };

/** What stands between the program and S3 responds instead, and S3 never sees the request. */
interface ForeignResponse {
  readonly status: number;
  readonly page: string;
  /** Whether it looks like one of S3. */
  readonly hasRequestId?: boolean;
}

export const EMPTY_OK: ForeignResponse = { status: 200, page: '' };

/** S3 seems to confirm what never arrived. */
export const CONFIRMED: ForeignResponse = { status: 200, page: '', hasRequestId: true };

export const LOGIN_PAGE: ForeignResponse = { status: 200, page: '<html><body>Please log in.</body></html>' };

export const GARBAGE: ForeignResponse = { status: 502, page: '\u0000<<<garbage' };

export const ANOTHER_BUCKET = 'of-others';

/** The response comes only when this resolves. */
interface LateResponse {
  readonly after: Promise<unknown>;
}

/**
 * An error to answer with, or a page; or what to wait for before the response; or to ask for another bucket, which must
 * exist; or a byte to change in the body of the request, or of the response to a GET; or a connection to close after
 * the request was forwarded, before its response; or the checksum in the response to leave out or replace.
 */
export type Fault =
  | ErrorResponse
  | ForeignResponse
  | LateResponse
  | 'ask for another bucket'
  | 'change'
  | 'lose the response'
  | 'leave out the checksum'
  | 'replace the checksum';

/** A proxy of an S3 server that injects a fault into selected requests. */
export async function startFaultyS3(
  upstream: string,
  isSelected: Selector,
  fault: Fault = SLOW_DOWN,
): Promise<FaultyS3> {
  let onHit: () => void = () => undefined;
  const hit = new Promise<void>((resolve) => (onHit = resolve));
  const server = createServer((request, response) => {
    const isFaulty = isSelected(`${request.method ?? ''} ${request.url ?? ''}`);
    if (isFaulty) {
      onHit();
    }
    if (isFaulty && typeof fault === 'object' && 'code' in fault && fault.isDone === true) {
      passOn(request, upstream).then(
        () => {
          say(response, fault);
        },
        () => response.destroy(),
      );
    } else if (isFaulty && typeof fault === 'object' && !('after' in fault)) {
      answer(request, response, fault);
    } else {
      forward(request, response, upstream, isFaulty ? fault : undefined).catch(() => response.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    hit,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, fault: ErrorResponse | ForeignResponse): void {
  request.resume().on('end', () => {
    if ('page' in fault) {
      const id = fault.hasRequestId === true ? { 'x-amz-request-id': 'FAULT' } : {};
      response.writeHead(fault.status, { 'Content-Type': 'text/html', ...id }).end(fault.page);
    } else {
      say(response, fault);
    }
  });
}

function say(response: ServerResponse, { status, code, message }: ErrorResponse): void {
  response.writeHead(status, { 'Content-Type': 'application/xml', 'x-amz-request-id': 'FAULT' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
}

/** Has S3 answer a request, and drops its response. */
async function passOn(request: IncomingMessage, upstream: string): Promise<void> {
  const forwarded = send(new URL(request.url ?? '/', upstream), { method: request.method, headers: request.headers });
  const answered = once(forwarded, 'response') as Promise<[IncomingMessage]>;
  await pipeline(request, forwarded);
  const [from] = await answered;
  await once(from.resume(), 'end');
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  upstream: string,
  fault: Fault | undefined,
): Promise<void> {
  const change = fault === 'change' ? changing() : new PassThrough();
  const isGet = request.method === 'GET';
  const url = request.url ?? '/';
  const path = fault === 'ask for another bucket' ? url.replace(/^\/[^/?]*/, `/${ANOTHER_BUCKET}`) : url;
  const forwarded = send(new URL(path, upstream), { method: request.method, headers: request.headers });
  const answered = once(forwarded, 'response').then(async ([from]: IncomingMessage[]) => {
    if (typeof fault === 'object' && 'after' in fault) {
      await fault.after;
    }
    if (from === undefined || fault === 'lose the response') {
      response.destroy();
    } else {
      const { 'x-amz-checksum-crc32': checksum, ...headers } = from.headers;
      const isKept = checksum !== undefined && fault !== 'leave out the checksum';
      response.writeHead(from.statusCode ?? 500, {
        ...headers,
        ...(isKept ? { 'x-amz-checksum-crc32': fault === 'replace the checksum' ? 'AAAAAA==' : checksum } : {}),
      });
      await (isGet ? pipeline(from, change, response) : pipeline(from, response));
    }
  });
  await Promise.all([isGet ? pipeline(request, forwarded) : pipeline(request, change, forwarded), answered]);
}

/** Changes the last byte of the first chunk. */
function changing(): Transform {
  let isChanged = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const copy = Buffer.from(chunk);
      if (!isChanged) {
        copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
        isChanged = true;
      }
      done(null, copy);
    },
  });
}
