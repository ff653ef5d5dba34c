import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FaultyS3 {
  readonly endpoint: string;
  /** Resolves when the first request with a fault has come. */
  readonly met: Promise<void>;
  stop(): Promise<void>;
}

/** `PUT /bucket/key?query`, as a test picks requests by it. */
type Picks = (request: string) => boolean;

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export const SLOW_DOWN: Answer = { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };

export const ACCESS_DENIED: Answer = { status: 403, code: 'AccessDenied', message: 'Access Denied' };

/**
 * Answers with an error; changes a byte of the body, of a GET that of the answer; or passes the request on, and breaks
 * off instead of its answer.
 */
export type Fault = Answer | 'change' | 'lose the answer';

/** Stands before an S3 server and does some of the requests an ill turn. */
export async function startFaultyS3(behind: string, picks: Picks, fault: Fault = SLOW_DOWN): Promise<FaultyS3> {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => (meet = resolve));
  const server = createServer((request, response) => {
    const isPicked = picks(`${request.method ?? ''} ${request.url ?? ''}`);
    if (isPicked) {
      meet();
    }
    if (isPicked && typeof fault === 'object') {
      refuse(request, response, fault);
    } else {
      pass(request, response, behind, isPicked ? fault : undefined).catch(() => response.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    met,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, code, message }: Answer): void {
  request.resume().on('end', () => {
    response.writeHead(status, { 'Content-Type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  });
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  behind: string,
  fault: Fault | undefined,
): Promise<void> {
  const change = fault === 'change' ? changing() : new PassThrough();
  const isGet = request.method === 'GET';
  const upstream = send(new URL(request.url ?? '/', behind), { method: request.method, headers: request.headers });
  const answered = once(upstream, 'response').then(async ([from]: IncomingMessage[]) => {
    if (from === undefined || fault === 'lose the answer') {
      response.destroy();
    } else {
      response.writeHead(from.statusCode ?? 500, from.headers);
      await (isGet ? pipeline(from, change, response) : pipeline(from, response));
    }
  });
  await Promise.all([isGet ? pipeline(request, upstream) : pipeline(request, change, upstream), answered]);
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
