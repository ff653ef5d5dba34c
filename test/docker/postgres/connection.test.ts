import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { Failure } from '../../../docker/failure.ts';
import type { ConnectionSettings } from '../../../docker/postgres/connection-settings.ts';
import { withConnection } from '../../../docker/postgres/connection.ts';
import { Stage } from '../support/stage.ts';

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

describe('without a password', () => {
  const signal = new AbortController().signal;
  const one = async (client: Client) => (await client.query<{ one: number }>('SELECT 1 AS one')).rows;

  function targetOf(user: string): ConnectionSettings {
    const { host, port } = stage.postgres;
    return { host, port, user, password: '', database: 'postgres' };
  }

  test.each(['disable', 'prefer'] as const)(
    'a server that asks for one refuses, and is told from one out of reach, with sslmode %s',
    async (mode) => {
      await expect(withConnection(targetOf('postgres'), { mode }, signal, one)).rejects.toMatchObject({
        reason: 'refused',
        step: 'login',
        message: expect.stringContaining('set the variable PGPASSWORD'),
      });
    },
  );

  test('a server that asks for none lets in', async () => {
    await stage.query('postgres', 'CREATE ROLE trusted LOGIN');
    await stage.writeServerFile(
      'pg_hba.conf',
      'host all trusted 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
    );
    await stage.query('postgres', 'SELECT pg_reload_conf()');
    // Another process of the server reads it, a moment later.
    for (;;) {
      try {
        expect(await withConnection(targetOf('trusted'), { mode: 'disable' }, signal, one)).toEqual([{ one: 1 }]);
        return;
      } catch (error) {
        if (!(error instanceof Failure)) {
          throw error;
        }
      }
    }
  });
});

test('a fault of the program among the questions is not taken for one of the connection', async () => {
  const { host, port, user, password } = stage.postgres;
  const fault = new TypeError('fault');
  const connection = withConnection(
    { host, port, user, password, database: 'postgres' },
    { mode: 'disable' },
    new AbortController().signal,
    () => Promise.reject(fault),
  );
  await expect(connection).rejects.toBe(fault);
});
