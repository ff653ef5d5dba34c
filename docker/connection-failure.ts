import pg from 'pg';

import { Failure } from './failure.ts';
import { networkCode } from './network.ts';
import type { Target } from './target.ts';

/** What failed, and whether the server, asked for TLS, was willing to speak it. */
export interface FailedConnection {
  readonly error: unknown;
  readonly tlsOffered: boolean;
}

type Verdict = readonly [reason: 'tryAgain' | 'refused', advice: string];

/** SQLSTATEs, or the classes that they begin with: https://www.postgresql.org/docs/current/errcodes-appendix.html */
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

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve: check endpoint in the secret, and the DNS of the network',
  EAI_AGAIN: 'its name can not be resolved at the moment: check the DNS of the network',
  ECONNREFUSED: 'nothing listens on that port: check port in the secret, and whether the server is up',
  ETIMEDOUT: 'it does not answer: check security groups and routes, and whether the server is up',
  EHOSTUNREACH: 'there is no route to it: check the routes of the network',
  ENETUNREACH: 'there is no route to it: check the routes of the network',
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Why the database could not be asked, by error codes; the server's own words are added for the reader, in the language
 * that the server speaks.
 */
export function connectionFailure(target: Target, { error, tlsOffered }: FailedConnection): Failure {
  const where = `${target.host} port ${target.port}`;
  const code = codeOf(error);
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? '';
    const [reason, advice] = SQL_STATES[state] ??
      SQL_STATES[state.slice(0, 3)] ??
      SQL_STATES[state.slice(0, 2)] ?? ['refused', 'The server refused.'];
    const who = `user "${target.user}", database "${target.database}"`;
    return new Failure(reason, `${where}, ${who}: ${advice} The server says: ${error.message} (${state})`, {
      cause: error,
    });
  }
  if (!tlsOffered) {
    return new Failure(
      'refused',
      `${where} does not speak TLS, but its certificate or encryption is demanded: ` +
        'turn TLS on at the server, or set sslmode in the secret to prefer or disable.',
      { cause: error },
    );
  }
  const network = networkCode(error);
  if (network !== undefined || code === undefined) {
    const why = (network && NETWORK[network]) ?? messageOf(error);
    return new Failure('tryAgain', `${where} is out of reach: ${why}.`, { cause: error });
  }
  return new Failure(
    'refused',
    `No trusted TLS connection to ${where}: ${messageOf(error)} (${code}). Check the certificate of the server, endpoint ` +
      `(the certificate must name it for verify-full) and sslmode in the secret.`,
    { cause: error },
  );
}
