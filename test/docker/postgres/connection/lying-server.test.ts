import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConnectionFailure } from '../../../../docker/postgres/connection/connection-failure.ts';
import { withConnection } from '../../../../docker/postgres/connection/connection.ts';
import { inspectDatabase } from '../../../../docker/postgres/database.ts';

/** A message of the protocol: its type, its length, unless another one is given, and its contents. */
function message(type: string, contents: Buffer, length = contents.length + 4): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, contents]);
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const READY = message('Z', Buffer.from('I'));
const AUTHENTICATED = message('R', int32(0));
const LOGIN = Buffer.concat([AUTHENTICATED, message('K', Buffer.concat([int32(1), int32(2)])), READY]);
const NOTICE = message('N', Buffer.from(`M${'x'.repeat(10_000)}\0\0`));
const SETTING = message('S', Buffer.from(`a\0${'x'.repeat(10_000)}\0`));
const COMPLETE = message('C', Buffer.from('SELECT 1\0'));

/** Columns of the type `text`. */
function columns(...names: readonly string[]): Buffer {
  const fields = names.map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`), Buffer.alloc(6), int32(25), Buffer.alloc(8)]),
  );
  return message('T', Buffer.concat([Buffer.from([0, names.length]), ...fields]));
}

/** A row whose columns are all null. */
function nulls(count: number): Buffer {
  return message('D', Buffer.concat([Buffer.from([0, count]), ...Array.from({ length: count }, () => int32(-1))]));
}

function error(text: string): Buffer {
  return message('E', Buffer.from(`SERROR\0C42501\0M${text}\0\0`));
}

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.destroy();
  }
  if (server !== undefined) {
    server.close();
    await once(server, 'close');
  }
});

function send(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => {
      resolve();
    });
  });
}

/** Asks a server that answers the login and each query in its own way. @returns why that failed */
async function ask(
  answer: (socket: Socket) => Promise<void> | void,
  login: (socket: Socket) => Promise<void> | void = (socket) => send(socket, LOGIN),
): Promise<ConnectionFailure> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let questions = 0;
    socket.on('data', () => {
      questions += 1;
      void (questions === 1 ? login(socket) : answer(socket));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = { host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' };
  const { signal } = new AbortController();
  return withConnection(settings, { mode: 'disable' }, signal, inspectDatabase).then(
    () => Promise.reject(new Error('It was believed.')),
    (reason: unknown) => reason as ConnectionFailure,
  );
}

describe('a server that lies is refused', () => {
  test.each<[string, (socket: Socket) => Promise<void> | void, string]>([
    [
      'with null for what cannot be null',
      (socket) => send(socket, Buffer.concat([columns('pid'), nulls(1), COMPLETE, READY])),
      'columns of other types',
    ],
    [
      'with text for a number',
      (socket) =>
        send(
          socket,
          Buffer.concat([
            columns('pid'),
            message('D', Buffer.concat([Buffer.from([0, 1]), int32(3), Buffer.from('abc')])),
            COMPLETE,
            READY,
          ]),
        ),
      'columns of other types',
    ],
    ['without a row', (socket) => send(socket, Buffer.concat([columns('pid'), COMPLETE, READY])), 'returns no row'],
    [
      'with more columns than it described',
      (socket) => send(socket, Buffer.concat([columns('pid'), nulls(9), COMPLETE, READY])),
      'other columns than it announced',
    ],
    [
      'with a row that it did not describe',
      (socket) => send(socket, Buffer.concat([nulls(1), COMPLETE, READY])),
      'does not behave like',
    ],
    [
      'with a message that is shorter than its length field',
      (socket) => send(socket, message('D', Buffer.alloc(0), 0)),
      'cannot be read',
    ],
    [
      'with a value beyond the end of its row',
      (socket) =>
        send(
          socket,
          Buffer.concat([
            columns('pid'),
            message('D', Buffer.concat([Buffer.from([0, 1]), int32(2 ** 30)])),
            COMPLETE,
            READY,
          ]),
        ),
      'does not behave like',
    ],
  ])('%s', async (_, answer, says) => {
    const failure = await ask(answer);
    expect(failure).toMatchObject({ reason: 'refused', step: 'queries', message: expect.stringContaining(says) });
  });

  test('with endless rows, before they fill the memory', async () => {
    const rows = Buffer.concat(Array.from({ length: 1000 }, () => nulls(1)));
    const failure = await ask(async (socket) => {
      await send(socket, columns('pid'));
      while (!socket.destroyed) {
        await send(socket, rows);
      }
    });
    expect(failure).toMatchObject({ reason: 'refused', message: expect.stringContaining('more than 1000000 rows') });
  });

  test("with a message of no known type, whose words are not the server's", async () => {
    const failure = await ask((socket) => send(socket, message('!', Buffer.alloc(3))));
    expect(failure).toMatchObject({ reason: 'refused', message: expect.not.stringContaining('The server says') });
  });

  test('if it is one of HTTP, such as that for the credentials of a task, and what it answers is not shown', async () => {
    const body = JSON.stringify({ SecretAccessKey: 'unsayable' });
    const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const failure = await ask(
      () => undefined,
      (socket) => send(socket, answer).then(() => void socket.end()),
    );
    expect(failure.message).toMatch(
      /^127\.0\.0\.1 port \d+ (does not behave like a PostgreSQL server|was reached, but the connection failed)/,
    );
    expect(failure.message).not.toMatch(/unsayable|SecretAccessKey/);
  });

  test('but one that closes the connection in the middle of a row was reached, and is worth another try', async () => {
    const failure = await ask(async (socket) => {
      await send(socket, Buffer.concat([columns('pid'), message('D', Buffer.from([0, 1]), 100)]));
      socket.end();
    });
    expect(failure).toMatchObject({
      reason: 'tryAgain',
      message: expect.stringMatching(/ was reached, but the connection failed: Connection terminated unexpectedly\.$/),
    });
  });

  test('with a message of two gigabytes', async () => {
    const filler = Buffer.alloc(2 ** 20, 'x');
    const failure = await ask(async (socket) => {
      await send(socket, message('E', Buffer.from('SERROR\0M'), 2 ** 31 - 1));
      while (!socket.destroyed) {
        await send(socket, filler);
      }
    });
    expect(failure).toMatchObject({ reason: 'refused', message: expect.stringContaining('more than 67108864 bytes') });
  });

  test('with a long error message, of which only the beginning is shown', async () => {
    const failure = await ask((socket) => send(socket, Buffer.concat([error('x'.repeat(10_000_000)), READY])));
    expect(failure).toMatchObject({ reason: 'refused', sqlState: '42501' });
    expect(failure.message).toContain('xxx …');
    expect(failure.message.length).toBeLessThan(2000);
  });

  test.each<[string, (socket: Socket) => Promise<void> | void]>([
    ['garbage', (socket) => send(socket, message('R', Buffer.alloc(0), 0))],
    ['a message of no known type', (socket) => send(socket, message('!', Buffer.alloc(3)))],
    [
      'endless notices',
      async (socket) => {
        while (!socket.destroyed) {
          await send(socket, Buffer.concat(Array.from({ length: 100 }, () => NOTICE)));
        }
      },
    ],
    ['an error without its end', (socket) => send(socket, message('E', Buffer.from('SERROR')))],
    [
      'a notice without its end, in pieces',
      async (socket) => {
        for (const byte of message('N', Buffer.from('SERROR\0Mx\0'))) {
          await send(socket, Buffer.from([byte]));
        }
      },
    ],
    ['the name of a property as its SQLSTATE', (socket) => send(socket, message('E', Buffer.from('Cconstructor\0\0')))],
    [
      'the second message of a login',
      (socket) => send(socket, message('R', Buffer.concat([int32(11), Buffer.from('r=x')]))),
    ],
    [
      'the last message of a login',
      (socket) => send(socket, message('R', Buffer.concat([int32(12), Buffer.from('v=x')]))),
    ],
    ['an authentication that does not exist', (socket) => send(socket, message('R', int32(99)))],
    [
      'endless settings',
      async (socket) => {
        await send(socket, AUTHENTICATED);
        while (!socket.destroyed) {
          await send(socket, Buffer.concat(Array.from({ length: 100 }, () => SETTING)));
        }
      },
    ],
    [
      'a mechanism that only others have',
      (socket) => send(socket, message('R', Buffer.from('\0\0\0\nOAUTHBEARER\0\0'))),
    ],
  ])('at the login, with %s', async (_, login) => {
    const failure = await ask(() => undefined, login);
    expect(failure).toMatchObject({ reason: 'refused', step: 'login' });
  });
});
