import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { Failure } from '../../../../docker/failure.ts';
import type { ConnectionSettings } from '../../../../docker/postgres/connection/connection-settings.ts';
import { withConnection } from '../../../../docker/postgres/connection/connection.ts';
import { Stage } from '../../support/stage.ts';

/** Type of the Terminate message: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const TERMINATE = 'X'.charCodeAt(0);

let stage: Stage;
/** A proxy to the server that swallows Terminate messages, so that the connection is never closed. */
let neverClosing: Server;
const sockets: Socket[] = [];

beforeAll(async () => {
  stage = await Stage.setUp();
  neverClosing = createServer({ allowHalfOpen: true }, (client) => {
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
  await once(neverClosing.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  for (const socket of sockets) {
    socket.destroy();
  }
  neverClosing.close();
  await once(neverClosing, 'close');
  await stage.tearDown();
});

test('a server that does not close the connection does not hold up the program', async () => {
  const { host, user, password } = stage.postgres;
  const { port } = neverClosing.address() as AddressInfo;
  const result = await withConnection(
    { host, port, user, password, database: 'postgres' },
    { mode: 'disable' },
    new AbortController().signal,
    async (client, route) => {
      const { rows } = await client.query<{ one: number }>('SELECT 1 AS one');
      return { rows, route };
    },
  );
  expect(result).toEqual({ rows: [{ one: 1 }], route: { address: host, isPooled: false } });
});

test.each(['disable', 'require'] as const)(
  'a listener that closes every connection is reached, but the login fails, with sslmode %s',
  async (mode) => {
    const listener = createServer((socket) => socket.destroy());
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    const settings = { host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' };
    const connection = withConnection(settings, { mode }, new AbortController().signal, () => Promise.resolve('done'));
    await expect(connection).rejects.toMatchObject({ reason: 'tryAgain', step: 'login' });
    listener.close();
    await once(listener, 'close');
  },
);

describe('without a password', () => {
  const signal = new AbortController().signal;
  const one = async (client: Client) => (await client.query<{ one: number }>('SELECT 1 AS one')).rows;

  function settingsOf(user: string): ConnectionSettings {
    const { host, port } = stage.postgres;
    return { host, port, user, password: '', database: 'postgres' };
  }

  test.each(['disable', 'prefer'] as const)(
    'a server that requires one is not mistaken for one that cannot be reached, with sslmode %s',
    async (mode) => {
      await expect(withConnection(settingsOf('postgres'), { mode }, signal, one)).rejects.toMatchObject({
        reason: 'refused',
        step: 'login',
        message: expect.stringContaining('none was given: set PGPASSWORD'),
      });
    },
  );

  test('a server that requires none accepts the connection', async () => {
    await stage.query('postgres', 'CREATE ROLE trusted LOGIN');
    await stage.writeServerFile(
      'pg_hba.conf',
      'host all trusted 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
    );
    await stage.query('postgres', 'SELECT pg_reload_conf()');
    // The server reloads the file asynchronously.
    for (;;) {
      try {
        expect(await withConnection(settingsOf('trusted'), { mode: 'disable' }, signal, one)).toEqual([{ one: 1 }]);
        return;
      } catch (error) {
        if (!(error instanceof Failure)) {
          throw error;
        }
      }
    }
  });
});

test('an internal error in a query callback is not taken for a connection failure', async () => {
  const { host, port, user, password } = stage.postgres;
  const error = new TypeError('internal');
  const connection = withConnection(
    { host, port, user, password, database: 'postgres' },
    { mode: 'disable' },
    new AbortController().signal,
    () => Promise.reject(error),
  );
  await expect(connection).rejects.toBe(error);
});

test('a full table of locks is no lack of resources that passes', async () => {
  const { host, port, user, password } = stage.postgres;
  const connection = withConnection(
    { host, port, user, password, database: 'postgres' },
    { mode: 'disable' },
    new AbortController().signal,
    (client) => client.query('SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 200000) i'),
  );
  await expect(connection).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(
      /: The server's table of locks is full: raise max_locks_per_transaction,.*\(53200\)$/,
    ),
  });
});
