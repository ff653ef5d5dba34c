import { Socket } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { Failure } from '../failure.ts';
import { networkCode } from '../network.ts';
import { connectionFailure, type FailedConnection, passwordMissing } from './connection-failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { attempts, tlsOptions, type TlsPolicy } from './tls.ts';

const CONNECT_TIMEOUT_MS = 20_000;

const QUERY_TIMEOUT_MS = 60_000;

/** Longest wait for the server to hang up once it was told good-bye. */
const FAREWELL_MS = 2_000;

/** First byte of a PostgreSQL server's answer to the question whether it speaks TLS: `N` for no. */
const NO_TLS = 'N'.charCodeAt(0);

interface Connection {
  readonly client: pg.Client;
  readonly socket: Socket;
}

/** How the server was reached. */
export interface Route {
  /** IP address. */
  readonly address: string;
  /** `TLSv1.3`; absent for plain text. */
  readonly tlsProtocol?: string;
}

function routeOf({ client, socket }: Connection): Route {
  const { stream } = client.connection;
  const protocol = stream instanceof TLSSocket ? stream.getProtocol() : null;
  return { address: socket.remoteAddress ?? '', ...(protocol === null ? {} : { tlsProtocol: protocol }) };
}

/**
 * To be called when the server asks for it: pg itself would look for one elsewhere, in `~/.pgpass` last.
 *
 * @throws {Failure} `refused` if there is none
 */
function passwordOf(target: ConnectionSettings): string {
  if (target.password === '') {
    throw passwordMissing(target);
  }
  return target.password;
}

async function connectOnce(
  target: ConnectionSettings,
  policy: TlsPolicy,
  way: 'tls' | 'plain',
  signal: AbortSignal,
): Promise<Connection | FailedConnection> {
  const socket = new Socket({ signal });
  let tlsOffered = true;
  let came: FailedConnection['came'] = 'nowhere';
  socket.once('connect', () => {
    came = 'to the port';
  });
  if (way === 'tls') {
    socket.once('data', (answer: Buffer) => {
      tlsOffered = answer[0] !== NO_TLS;
    });
  }
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    password: () => passwordOf(target),
    database: target.database,
    ssl: way === 'tls' && tlsOptions(policy),
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    application_name: 'autodump',
  });
  // A connection that breaks between two queries says so here; the next query then fails and tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return { client, socket };
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    // Nothing that another attempt would mend.
    if (error instanceof Failure) {
      throw error;
    }
    return { error, came, tlsOffered };
  }
}

/** Connects as libpq would with the same settings, if need be without or with TLS after all. */
async function connect(target: ConnectionSettings, policy: TlsPolicy, signal: AbortSignal): Promise<Connection> {
  const failures: FailedConnection[] = [];
  for (const way of attempts(policy.mode)) {
    const connection = await connectOnce(target, policy, way, signal);
    if ('client' in connection) {
      return connection;
    }
    failures.push(connection);
    if (networkCode(connection.error) !== undefined) {
      break;
    }
  }
  // Of two attempts the one that the server itself answered tells more than the one that never got so far.
  const telling = failures.find(({ error }) => error instanceof pg.DatabaseError) ?? failures.at(-1);
  if (telling === undefined) {
    throw new Error(`There is no way to connect with sslmode ${policy.mode}.`);
  }
  throw connectionFailure(target, telling) ?? telling.error;
}

/**
 * Connects as pg_dump will, asks, and disconnects.
 *
 * @throws {ConnectionFailure} `tryAgain` or `refused`, with the reason in words, if the connection or a question fails;
 * a fault of the program as it is
 */
export async function withConnection<T>(
  target: ConnectionSettings,
  policy: TlsPolicy,
  signal: AbortSignal,
  ask: (client: pg.Client, route: Route) => Promise<T>,
): Promise<T> {
  const connection = await connect(target, policy, signal);
  const { client, socket } = connection;
  try {
    const answer = await ask(client, routeOf(connection));
    await Promise.race([client.end(), passed(FAREWELL_MS, undefined, { ref: false })]);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw connectionFailure(target, { error, came: 'to the questions', tlsOffered: true }) ?? error;
  } finally {
    socket.destroy();
  }
}
