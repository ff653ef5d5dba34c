import pg from 'pg';
import { Failure, type FailureReason } from '../failure.ts';
import { networkCode } from '../network.ts';
import type { ConnectionSettings } from './connection-settings.ts';

/** The steps from a host name to an answer, in their order. */
export const CONNECTION_STEPS = ['name', 'port', 'tls', 'login', 'database', 'questions'] as const;

export type ConnectionStep = (typeof CONNECTION_STEPS)[number];

/** A database that could not be asked, and the step that failed. */
export class ConnectionFailure extends Failure {
  readonly step: ConnectionStep;
  /** What the server says, where it said something. https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly sqlState: string | undefined;

  constructor(step: ConnectionStep, reason: FailureReason, message: string, cause: unknown) {
    super(reason, message, { cause });
    this.step = step;
    this.sqlState = cause instanceof pg.DatabaseError ? cause.code : undefined;
  }
}

/** What failed, and how far it had come. */
export interface FailedConnection {
  readonly error: unknown;
  readonly came: 'nowhere' | 'to the port' | 'to the questions';
  /** Whether the server, asked for TLS, was willing to speak it. */
  readonly tlsOffered: boolean;
}

type Verdict = readonly [reason: 'tryAgain' | 'refused', advice: string];

/** SQLSTATEs, or the classes that they begin with. */
const SQL_STATES: Readonly<Record<string, Verdict>> = {
  '57P03': ['tryAgain', 'The server is starting up, shutting down or recovering.'],
  '57P': ['tryAgain', 'The server is shutting down.'],
  '57014': ['tryAgain', 'The server canceled a query.'],
  '53': ['tryAgain', 'The server is short of something: connections, memory or disk.'],
  '08': ['tryAgain', 'The connection broke.'],
  '40': ['tryAgain', 'The server canceled a query.'],
  '28P01': ['refused', 'The password is wrong, or there is no such user: check username and password in the secret.'],
  '28': [
    'refused',
    'The server does not let this user in from here: check username and sslmode in the secret, and pg_hba.conf.',
  ],
  '3D000': ['refused', 'There is no such database: check databasename in the secret.'],
  '42501': ['refused', 'The user lacks a privilege: grant it, CONNECT on the database first of all.'],
  '55000': ['refused', 'The database accepts no connections.'],
};

/** What the server says of the database, once it has let the user in. */
const OF_THE_DATABASE: ReadonlySet<string> = new Set(['3D000', '42501', '55000']);

const NO_ANSWER = 'it does not answer: check security groups and routes, and whether the server is up';

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve: check endpoint in the secret, and the DNS of the network',
  EAI_AGAIN: 'its name can not be resolved at the moment: check the DNS of the network',
  ECONNREFUSED: 'nothing listens on that port: check port in the secret, and whether the server is up',
  ETIMEDOUT: NO_ANSWER,
  EHOSTUNREACH: 'there is no route to it: check the routes of the network',
  ENETUNREACH: 'there is no route to it: check the routes of the network',
};

/** What pg says, without a code, of a connection that was closed or a limit of time that ran out. */
const OF_THE_NETWORK: ReadonlySet<string> = new Set([
  'timeout expired',
  'Connection terminated',
  'Connection terminated unexpectedly',
  'There was an error establishing an SSL connection',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
]);

/** So pg begins whatever it says, without a code, of a server that it can't prove the password to. */
const SASL = 'SASL: ';

const OF_THE_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function refusal(
  target: ConnectionSettings,
  error: pg.DatabaseError,
  came: FailedConnection['came'],
): ConnectionFailure {
  const state = error.code ?? '';
  const [reason, advice] = SQL_STATES[state] ??
    SQL_STATES[state.slice(0, 3)] ??
    SQL_STATES[state.slice(0, 2)] ?? ['refused', 'The server refused.'];
  const where = `${target.host} port ${target.port}, user "${target.user}", database "${target.database}"`;
  const early = OF_THE_DATABASE.has(state) ? 'database' : 'login';
  return new ConnectionFailure(
    came === 'to the questions' ? 'questions' : early,
    reason,
    `${where}: ${advice} The server says: ${error.message} (${state})`,
    error,
  );
}

function outOfReach(target: ConnectionSettings, error: unknown, came: FailedConnection['came']): ConnectionFailure {
  const code = networkCode(error) ?? '';
  const known = NETWORK[code] ?? (came === 'nowhere' && code === '' ? NO_ANSWER : undefined);
  const early = OF_THE_NAME.has(code) ? 'name' : 'port';
  const late = came === 'to the port' ? 'login' : 'questions';
  return new ConnectionFailure(
    came === 'nowhere' ? early : late,
    'tryAgain',
    `${target.host} port ${target.port} is out of reach: ${known ?? messageOf(error)}.`,
    error,
  );
}

/** The server asks for a password, and there is none. A secret always has one. */
export function passwordMissing({ host, port, user }: ConnectionSettings): ConnectionFailure {
  return new ConnectionFailure(
    'login',
    'refused',
    `${host} port ${port} asks the user "${user}" for a password, and none was given: set the variable PGPASSWORD.`,
    undefined,
  );
}

/**
 * Why the database could not be asked, by error codes and pg's own words; the server's are added for the reader, in the
 * language that the server speaks. Undefined where it is nothing of the connection, but a fault of the program.
 */
export function connectionFailure(
  target: ConnectionSettings,
  { error, came, tlsOffered }: FailedConnection,
): ConnectionFailure | undefined {
  const where = `${target.host} port ${target.port}`;
  if (error instanceof pg.DatabaseError) {
    return refusal(target, error, came);
  }
  if (!tlsOffered) {
    return new ConnectionFailure(
      'tls',
      'refused',
      `${where} does not speak TLS, but its certificate or encryption is demanded: ` +
        'turn TLS on at the server, or set sslmode in the secret to prefer or disable.',
      error,
    );
  }
  const code = codeOf(error);
  const message = messageOf(error);
  if (networkCode(error) !== undefined || (code === undefined && OF_THE_NETWORK.has(message))) {
    return outOfReach(target, error, came);
  }
  if (code !== undefined) {
    return new ConnectionFailure(
      'tls',
      'refused',
      `No trusted TLS connection to ${where}: ${message} (${code}). Check the certificate of the server, endpoint ` +
        `(the certificate must name it for verify-full) and sslmode in the secret.`,
      error,
    );
  }
  if (message.startsWith(SASL)) {
    return new ConnectionFailure('login', 'refused', `${where} takes no proof of the password: ${message}.`, error);
  }
  return undefined;
}
