import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingS3 {
  readonly endpoint: string;
  /** Bytes of bodies that were sent so far, by the key that was asked for. */
  readonly sent: ReadonlyMap<string, number>;
  /** Methods of all requests. */
  readonly methods: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** A proxy of an S3 server that counts what it sends. */
export async function startCountingS3(upstream: string, bucket: string): Promise<CountingS3> {
  const sent = new Map<string, number>();
  const methods = new Set<string>();
  const server = createServer((request, response) => {
    const { method = '', url = '/', headers } = request;
    const key = new URL(url, upstream).pathname.slice(`/${bucket}/`.length);
    methods.add(method);
    const forwarded = send(new URL(url, upstream), { method, headers }, (from) => {
      response.writeHead(from.statusCode ?? 500, from.headers);
      from.on('data', (chunk: Buffer) => {
        sent.set(key, (sent.get(key) ?? 0) + chunk.length);
      });
      from.pipe(response);
    });
    request.pipe(forwarded);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    sent,
    methods,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
