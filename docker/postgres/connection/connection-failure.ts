import { constants } from 'node:os';
import pg from 'pg';
import { Failure, type FailureReason } from '../../failure.ts';
import { networkCode } from '../../network.ts';
import { BadAnswer } from './bad-answer.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { TLS_NOT_OFFERED, tlsAdvice } from './tls/tls-advice.ts';

/** SQLSTATE insufficient_privilege: also where row-level security would hide rows. */
export const NO_PRIVILEGE = '42501';

/** The steps from a host name to the answer of a query, in order. */
export const CONNECTION_STEPS = ['name', 'port', 'tls', 'login', 'database', 'queries'] as const;

export type ConnectionStep = (typeof CONNECTION_STEPS)[number];

/** A failure to connect to a database or to query it, and the step that failed. */
export class ConnectionFailure extends Failure {
  readonly step: ConnectionStep;
  /** Set if the server reported the error. https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly sqlState: string | undefined;

  constructor(step: ConnectionStep, reason: FailureReason, message: string, cause: unknown) {
    super(reason, message, { cause });
    this.step = step;
    this.sqlState = cause instanceof pg.DatabaseError ? cause.code : undefined;
  }
}

/** A failed attempt to connect or query, before it is classified. */
export interface FailedConnection {
  readonly error: unknown;
  /** How far the attempt got. */
  readonly reached: 'nothing' | 'port' | 'queries';
  /** False if the server declined a request for TLS. */
  readonly tlsOffered: boolean;
}

type Verdict = readonly [reason: 'tryAgain' | 'refused', advice: string];

/** By SQLSTATE or a prefix of it. A map, since a server may send any text as its SQLSTATE, such as `constructor`. */
const SQL_STATES: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['57P03', ['tryAgain', 'The server is starting up, shutting down or in recovery.']],
  ['57P', ['tryAgain', 'The server ended the session, most likely because it is shutting down.']],
  ['57014', ['tryAgain', 'The server canceled a query.']],
  ['53400', ['refused', "A limit in the server's configuration was exceeded."]],
  ['53', ['tryAgain', 'The server lacks resources: connections, memory or disk space.']],
  ['08', ['tryAgain', 'The connection broke.']],
  ['40', ['tryAgain', 'The server canceled a query.']],
  ['28P01', ['refused', 'Wrong password, or no such user: check user name and password.']],
  [
    '28',
    [
      'refused',
      'The server does not allow this user to connect from here: check user name and sslmode, pg_hba.conf and, ' +
        'on RDS, that the user has no role rds_iam, which cannot log in with a password.',
    ],
  ],
  ['3D000', ['refused', 'There is no such database: check its name.']],
  [NO_PRIVILEGE, ['refused', 'The user lacks a privilege: grant it, starting with CONNECT on the database.']],
  ['55000', ['refused', 'The database does not accept connections.']],
]);

/** SQLSTATE out_of_memory, for the server's own memory and for its table of locks. */
const OUT_OF_MEMORY = '53200';

/** In the hint, in every language, the setting says which. */
const LOCK_TABLE_FULL: Verdict = [
  'refused',
  "The server's table of locks is full: raise max_locks_per_transaction, and restart the server.",
];

function verdictOn(state: string, { hint = '' }: pg.DatabaseError): Verdict {
  if (state === OUT_OF_MEMORY && hint.includes('max_locks_per_transaction')) {
    return LOCK_TABLE_FULL;
  }
  const known = [state, state.slice(0, 3), state.slice(0, 2)].find((code) => SQL_STATES.has(code)) ?? '';
  return SQL_STATES.get(known) ?? ['refused', 'The server refused.'];
}

/** SQLSTATEs about the database, which the server only reports after authentication. */
const DATABASE_STATES: ReadonlySet<string> = new Set(['3D000', NO_PRIVILEGE, '55000']);

/**
 * Older poolers report everything as a protocol violation, in English. What they say, by the server's SQLSTATE for it.
 */
const PROTOCOL_VIOLATION = '08P01';
const POOLER_STATES: readonly (readonly [says: RegExp, state: string])[] = [
  [/authentication failed|no such user/, '28P01'],
  [/^database ".*" does not exist$|no such database/s, '3D000'],
  [/statement pooling/, '0A000'],
  [/^(?:login rejected|SSL required|not allowed)$|^role ".*" does not exist$/s, '28000'],
  [/no more connections allowed/, '53300'],
];

function stateOf({ code = '', message }: pg.DatabaseError): string {
  const said = code === PROTOCOL_VIOLATION ? POOLER_STATES.find(([says]) => says.test(message)) : undefined;
  return said?.[1] ?? code;
}

const NO_ANSWER = 'it does not answer: check security groups and routes, and whether the server is running';
const NO_ROUTE = 'there is no route to it: check the routes of the network';

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve: check it, and the DNS of the network',
  EAI_AGAIN: 'its name cannot be resolved at the moment: check the DNS of the network',
  ECONNREFUSED: 'nothing listens on that port: check the port, and whether the server is running',
  ETIMEDOUT: NO_ANSWER,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
};

/** pg's messages, without a code, about a closed connection or a timeout. */
const NETWORK_MESSAGES: ReadonlySet<string> = new Set([
  'timeout expired',
  'Connection terminated',
  'Connection terminated unexpectedly',
  'There was an error establishing an SSL connection',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
]);

/** What Node.js adds to messages about certificates. It is for people who start Node.js themselves. */
const ADVICE_ON_NODE = /; if the root CA is installed locally.*$/;

/** Start of pg's messages, without a code, about a failed SASL authentication. */
const SASL = 'SASL: ';

const NAME_RESOLUTION: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Code of the operating system that Node.js has for a TLS handshake that the server refused. */
const TLS_REFUSED = 'EPROTO';

/** Whether the error is one of the network or the operating system, and not of TLS. */
function isSystemError(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return networkCode(error) !== undefined || (code in constants.errno && code !== TLS_REFUSED);
}

/**
 * What OpenSSL says among numbers and names of its source files: `error:0A00042E:SSL routines:f:what it says:file:`.
 */
const OPENSSL = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

function tlsMessage(message: string): string {
  return OPENSSL.exec(message)?.[1] ?? message.replace(ADVICE_ON_NODE, '').replace(/\.$/, '');
}

/** Messages of a server are short. */
const MESSAGE_LENGTH = 1000;

function shortened(message: string): string {
  return message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH)} …` : message;
}

function serverFailure(
  settings: ConnectionSettings,
  error: pg.DatabaseError,
  reached: FailedConnection['reached'],
): ConnectionFailure {
  const state = stateOf(error);
  const [reason, advice] = verdictOn(state, error);
  const { host, port, user, database } = settings;
  const connectionStep = DATABASE_STATES.has(state) ? 'database' : 'login';
  return new ConnectionFailure(
    reached === 'queries' ? 'queries' : connectionStep,
    reason,
    `${host} port ${port}, user "${user}", database "${database}": ${advice} ` +
      `The server says: ${shortened(error.message)}${state === '' ? '' : ` (${error.code})`}`,
    error,
  );
}

function networkFailure(
  { host, port }: ConnectionSettings,
  error: unknown,
  reached: FailedConnection['reached'],
): ConnectionFailure {
  const code = codeOf(error) ?? '';
  const advice = NETWORK[code] ?? (reached === 'nothing' && code === '' ? NO_ANSWER : undefined);
  const what = reached === 'nothing' ? 'cannot be reached' : 'was reached, but the connection failed';
  const steps = { nothing: NAME_RESOLUTION.has(code) ? 'name' : 'port', port: 'login', queries: 'queries' } as const;
  return new ConnectionFailure(
    steps[reached],
    'tryAgain',
    `${host} port ${port} ${what}: ${advice ?? messageOf(error)}.`,
    error,
  );
}

/** The server asks for a password, and none was given, which only happens without a secret. */
export function passwordMissing({ host, port, user }: ConnectionSettings): ConnectionFailure {
  return new ConnectionFailure(
    'login',
    'refused',
    `${host} port ${port} requires a password for the user "${user}", but none was given: set PGPASSWORD.`,
    undefined,
  );
}

/**
 * Classifies a failed attempt by error codes and pg's own messages. The server's message, which may be in another
 * language, is only quoted. Undefined if the error is not about the connection: then it is an internal error.
 */
export function connectionFailure(
  settings: ConnectionSettings,
  { error, reached, tlsOffered }: FailedConnection,
): ConnectionFailure | undefined {
  const server = `${settings.host} port ${settings.port}`;
  // Without a SQLSTATE, which every server sends, the words are those of pg about a message that it does not know.
  if (error instanceof pg.DatabaseError && error.code !== undefined) {
    return serverFailure(settings, error, reached);
  }
  if (!tlsOffered) {
    return new ConnectionFailure(
      'tls',
      'refused',
      `${server} does not support TLS, which is required: ${tlsAdvice(settings.host, TLS_NOT_OFFERED)}`,
      error,
    );
  }
  if (error instanceof BadAnswer || error instanceof pg.DatabaseError) {
    return new ConnectionFailure(
      reached === 'queries' ? 'queries' : 'login',
      'refused',
      `${server} does not behave like a PostgreSQL server: ${shortened(error.message)}.`,
      error,
    );
  }
  const code = codeOf(error);
  const message = messageOf(error);
  if (isSystemError(error) || (code === undefined && NETWORK_MESSAGES.has(message))) {
    return networkFailure(settings, error, reached);
  }
  if (code !== undefined) {
    return new ConnectionFailure(
      'tls',
      'refused',
      `No trusted TLS connection to ${server}: ${tlsMessage(message)} (${code}): ` + tlsAdvice(settings.host, code),
      error,
    );
  }
  if (message.startsWith(SASL)) {
    return new ConnectionFailure('login', 'refused', `Authentication at ${server} failed: ${message}.`, error);
  }
  return undefined;
}
