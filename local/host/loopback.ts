import { once } from 'node:events';
import type { Server } from 'node:http';

export interface Loopback {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Breaks off what is under way. */
  stop(): Promise<void>;
}

/** Has a server listen on a free port of this machine alone. */
export async function listen(server: Server): Promise<Loopback> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The server does not listen.');
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
