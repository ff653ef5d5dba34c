import { Failure } from '../failure.ts';
import type { ConnectionSettings } from './connection/connection-settings.ts';
import type { Route } from './connection/connection.ts';

/**
 * pg_dump and pg_restore change settings of their session. A pooler that pools transactions hands the same sessions of
 * the server to other clients, with those settings, and may give each transaction of the program another one, without.
 *
 * @returns the refusal, if a pooler is in between and the secret does not say that it pools sessions
 */
export function poolerFailure(
  { host, port, pooler }: ConnectionSettings,
  { isPooled }: Pick<Route, 'isPooled'>,
): Failure | undefined {
  if (!isPooled || pooler === 'session') {
    return undefined;
  }
  return new Failure(
    'refused',
    `${host} port ${port} is a connection pooler, such as PgBouncer or RDS Proxy, and no server. If it pools transactions, ` +
      'settings of pg_dump and pg_restore reach other clients, which then fail with "relation does not exist". Use the ' +
      'endpoint of the server itself or, if the pooler is known to pool sessions, a secret with the field ' +
      '"pooler": "session".',
  );
}
