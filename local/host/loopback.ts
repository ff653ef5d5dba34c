import { once } from 'node:events';
import type { Server } from 'node:http';

export interface Loopback {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Closes the server and all connections, including those with a request in progress. */
  stop(): Promise<void>;
}

/** Has a server listen on a free port of the loopback interface. */
export async function listen(server: Server): Promise<Loopback> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The server is not listening on a TCP port.');
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
