import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface FaultyS3 {
  readonly endpoint: string;
  /** Resolves when the first request that is refused has come. */
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

const SLOW_DOWN: Answer = { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };

export const ACCESS_DENIED: Answer = { status: 403, code: 'AccessDenied', message: 'Access Denied' };

/** Stands before an S3 server and answers some of the requests, again and again, with an error. */
export async function startFaultyS3(behind: string, picks: Picks, answer = SLOW_DOWN): Promise<FaultyS3> {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => (meet = resolve));
  const server = createServer((request, response) => {
    if (!picks(`${request.method ?? ''} ${request.url ?? ''}`)) {
      const upstream = send(new URL(request.url ?? '/', behind), { method: request.method, headers: request.headers });
      const answered = once(upstream, 'response').then(async ([from]: IncomingMessage[]) => {
        if (from !== undefined) {
          response.writeHead(from.statusCode ?? 500, from.headers);
          await pipeline(from, response);
        }
      });
      Promise.all([pipeline(request, upstream), answered]).catch(() => response.destroy());
      return;
    }
    meet();
    request.resume().on('end', () => {
      response.writeHead(answer.status, { 'Content-Type': 'application/xml' });
      response.end(
        `<?xml version="1.0"?><Error><Code>${answer.code}</Code><Message>${answer.message}</Message></Error>`,
      );
    });
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
