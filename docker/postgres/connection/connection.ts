import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { networkCode } from '../../network.ts';
import { scramPassword } from '../saslprep/saslprep.ts';
import { guard } from './bad-answer.ts';
import { connectionFailure, type FailedConnection, passwordMissing } from './connection-failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { PatientSocket } from './patient-socket.ts';
import { queryRow } from './query.ts';
import { isRdsProxy, tlsOptions, type TlsPolicy, type Transport, transportsFor } from './tls/tls.ts';
import { type Access, inTransaction } from './transaction.ts';

const CONNECT_TIMEOUT_MS = 20_000;

const QUERY_TIMEOUT_MS = 60_000;

/** Idle time after which the system asks a server that takes longer whether it is still there. */
const KEEPALIVE_MS = 60_000;

/** How to ask. */
export interface Manner {
  /** Only what changes the database on purpose may write. @default - `READ ONLY` */
  readonly access?: Access;
  /** Whether queries may take however long they need, as those that read whole tables. @default - false */
  readonly isPatient?: boolean;
}

/**
 * Most iterations of SCRAM's hash that a server may ask for. A server's default is 4,096. There is no limit in libpq,
 * but this many already take about as long as a connection may, and the program could not end before they are done.
 */
const SCRAM_ITERATIONS = 20_000_000;

/** Longest wait for the server to close the connection after a Terminate message. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A PostgreSQL server's answer to an SSLRequest that it declines. */
const NO_TLS = 'N'.charCodeAt(0);

interface Connection {
  readonly client: pg.Client;
  readonly socket: Socket;
  /** Process that serves the connection, by the answer to the login. */
  readonly serverPid: number | undefined;
}

/** The network path to the server. */
export interface Route {
  /** IP address. */
  readonly address: string;
  /** `TLSv1.3`; absent without TLS. */
  readonly tlsProtocol?: string;
  /** Whether a connection pooler is in between. */
  readonly isPooled: boolean;
}

/**
 * A pooler answers the login itself, before it chooses a session of the server. For canceling queries it invents a
 * process, which is not the one that answers them.
 */
async function routeOf(host: string, { client, socket, serverPid }: Connection): Promise<Route> {
  const { stream } = client.connection;
  const protocol = stream instanceof TLSSocket ? stream.getProtocol() : null;
  const { pid } = await queryRow(client, 'SELECT pg_backend_pid() AS pid', z.object({ pid: z.int() }));
  return {
    address: socket.remoteAddress ?? '',
    ...(protocol === null ? {} : { tlsProtocol: protocol }),
    isPooled: isRdsProxy(host) || pid !== serverPid,
  };
}

/**
 * Called when the server asks for a password. Given an empty one, pg itself would look elsewhere, even in `~/.pgpass`.
 *
 * @param isScram whether it will be hashed for SCRAM
 * @throws {Failure} `refused` if there is none
 */
function passwordOf(settings: ConnectionSettings, isScram: boolean): string {
  if (settings.password === '') {
    throw passwordMissing(settings);
  }
  return isScram ? scramPassword(settings.password) : settings.password;
}

async function connectOnce(
  settings: ConnectionSettings,
  policy: TlsPolicy,
  transport: Transport,
  queryTimeoutMs: number,
  signal: AbortSignal,
): Promise<Connection | FailedConnection> {
  const socket = new PatientSocket({ signal });
  let tlsOffered = true;
  let reached: FailedConnection['reached'] = 'nothing';
  socket.once('connect', () => {
    reached = 'port';
  });
  if (transport === 'tls') {
    socket.once('data', (answer: Buffer) => {
      tlsOffered = answer[0] !== NO_TLS;
    });
  }
  let isScram = false;
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: () => passwordOf(settings, isScram),
    scramMaxIterations: SCRAM_ITERATIONS,
    database: settings.database,
    ssl: transport === 'tls' && tlsOptions(policy),
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
  });
  // A connection that breaks between two queries emits this; the next query then fails and reports it.
  client.on('error', () => undefined);
  guard(client.connection);
  // Before pg's own listener, which asks for the password.
  client.connection.once('authenticationSASL', () => {
    isScram = true;
  });
  let serverPid: number | undefined;
  client.connection.once('backendKeyData', ({ processID }: { readonly processID: number }) => {
    serverPid = processID;
  });
  try {
    await client.connect();
    return { client, socket, serverPid };
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    // The password is missing, so another attempt would fail as well.
    if (error instanceof Failure) {
      throw error;
    }
    return { error, reached, tlsOffered };
  }
}

/** Connects like libpq with the same settings, including its fallback from or to TLS. */
async function connect(
  settings: ConnectionSettings,
  policy: TlsPolicy,
  queryTimeoutMs: number,
  signal: AbortSignal,
): Promise<Connection> {
  const failures: FailedConnection[] = [];
  for (const transport of transportsFor(policy.mode)) {
    const connection = await connectOnce(settings, policy, transport, queryTimeoutMs, signal);
    if ('client' in connection) {
      return connection;
    }
    failures.push(connection);
    if (networkCode(connection.error) !== undefined) {
      break;
    }
  }
  // Of two attempts, the one that the server answered says more than the one that got less far.
  const telling = failures.find(({ error }) => error instanceof pg.DatabaseError) ?? failures.at(-1);
  if (telling === undefined) {
    throw new Error(`No transport is defined for sslmode ${policy.mode}.`);
  }
  throw connectionFailure(settings, telling) ?? telling.error;
}

/**
 * Connects as pg_dump will, runs the queries in a transaction that sees only the system's names, and disconnects.
 *
 * @throws {ConnectionFailure} `tryAgain` or `refused`, if connecting or a query fails; an internal error is thrown
 * unchanged
 */
export async function withConnection<T>(
  settings: ConnectionSettings,
  policy: TlsPolicy,
  signal: AbortSignal,
  query: (client: pg.Client, route: Route) => Promise<T>,
  { access = 'READ ONLY', isPatient = false }: Manner = {},
): Promise<T> {
  const connection = await connect(settings, policy, isPatient ? 0 : QUERY_TIMEOUT_MS, signal);
  const { client, socket } = connection;
  socket.setKeepAlive(isPatient, KEEPALIVE_MS);
  try {
    const ask = async () => query(client, await routeOf(settings.host, connection));
    const result = await inTransaction(client, access, ask);
    await Promise.race([client.end(), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw connectionFailure(settings, { error, reached: 'queries', tlsOffered: true }) ?? error;
  } finally {
    socket.destroy();
  }
}
