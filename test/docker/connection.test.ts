import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { withConnection } from '../../docker/connection.ts';
import { Stage } from './stage.ts';

/** The message by which a client takes leave: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const TERMINATE = 'X'.charCodeAt(0);

let stage: Stage;
/** Stands before the server, and never hangs up. */
let clinging: Server;
const sockets: Socket[] = [];

beforeAll(async () => {
  stage = await Stage.set();
  clinging = createServer({ allowHalfOpen: true }, (client) => {
    const { host, port } = stage.postgres;
    const server = connect({ host, port });
    server.on('data', (data) => client.write(data));
    client.on('data', (data) => {
      if (data[0] !== TERMINATE) {
        server.write(data);
      }
    });
    sockets.push(client, server);
  });
  await once(clinging.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  for (const socket of sockets) {
    socket.destroy();
  }
  clinging.close();
  await once(clinging, 'close');
  await stage.strike();
});

test('a server that does not hang up is not waited for', async () => {
  const { host, user, password } = stage.postgres;
  const { port } = clinging.address() as AddressInfo;
  const target = { host, port, user, password, database: 'postgres', bucket: 'dumps' };
  const answer = await withConnection(
    target,
    { mode: 'disable' },
    new AbortController().signal,
    async (client, route) => {
      const { rows } = await client.query<{ one: number }>('SELECT 1 AS one');
      return { rows, route };
    },
  );
  expect(answer).toEqual({ rows: [{ one: 1 }], route: { address: host } });
});

test.each(['disable', 'require'] as const)(
  'a listener that hangs up at once, asked with sslmode %s, was reached but lets nobody in',
  async (mode) => {
    const listener = createServer((socket) => socket.destroy());
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    const target = { host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd', bucket: 'dumps' };
    const connection = withConnection(target, { mode }, new AbortController().signal, () => Promise.resolve('asked'));
    await expect(connection).rejects.toMatchObject({ reason: 'tryAgain', step: 'login' });
    listener.close();
    await once(listener, 'close');
  },
);
