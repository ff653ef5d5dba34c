import { Socket } from 'node:net';

import pg from 'pg';

import { connectionFailure } from './connection-failure.ts';
import type { Target } from './target.ts';
import { attempts, tlsOptions } from './tls.ts';
import type { TlsPolicy } from './tls.ts';

const CONNECT_TIMEOUT_MS = 20_000;

/** First byte of a PostgreSQL server's answer to the question whether it speaks TLS: `N` for no. */
const NO_TLS = 'N'.charCodeAt(0);

type Attempt =
  | { readonly outcome: 'connected'; readonly client: pg.Client }
  | { readonly outcome: 'failed'; readonly error: unknown; readonly tlsOffered: boolean };

async function attempt(target: Target, policy: TlsPolicy, way: 'tls' | 'plain', signal: AbortSignal): Promise<Attempt> {
  const socket = new Socket({ signal });
  let tlsOffered = true;
  if (way === 'tls') {
    socket.once('data', (answer: Buffer) => {
      tlsOffered = answer[0] !== NO_TLS;
    });
  }
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    ssl: way === 'tls' && tlsOptions(policy),
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'autodump',
  });
  // A connection that breaks between two queries says so here; the next query then fails and tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return { outcome: 'connected', client };
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    return { outcome: 'failed', error, tlsOffered };
  }
}

/**
 * Connects as libpq would with the same settings, asks, and disconnects.
 * @throws {Failure} `tryAgain` or `refused`, with the reason in words
 */
export async function withConnection<T>(
  target: Target,
  policy: TlsPolicy,
  signal: AbortSignal,
  ask: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const failures: (Attempt & { outcome: 'failed' })[] = [];
  for (const way of attempts(policy.mode)) {
    const attempted = await attempt(target, policy, way, signal);
    if (attempted.outcome === 'connected') {
      try {
        return await ask(attempted.client);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof pg.DatabaseError ? connectionFailure(target, { error, tlsOffered: true }) : error;
      } finally {
        await attempted.client.end();
      }
    }
    failures.push(attempted);
  }
  // Of two attempts the one that the server itself answered tells more than the one that never got so far.
  const telling = failures.find(({ error }) => error instanceof pg.DatabaseError) ?? failures.at(-1);
  throw connectionFailure(target, telling ?? { error: undefined, tlsOffered: true });
}
