import { PORT_CHECK } from '../../contract.ts';
import {
  CONNECTION_STEPS,
  type ConnectionFailure,
  type ConnectionStep,
  NO_PRIVILEGE,
} from '../postgres/connection/connection-failure.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import type { Route } from '../postgres/connection/connection.ts';
import { type TlsPolicy, transportsFor } from '../postgres/connection/tls/tls.ts';
import type { Database } from '../postgres/database.ts';
import { identifier } from '../postgres/names/quoting.ts';
import { sizeOnDisk } from '../progress.ts';
import { type Finding, ok, problem, unchecked, warning } from './finding.ts';

const CHECK_OF: Readonly<Record<ConnectionStep, string>> = {
  name: 'Host name',
  port: PORT_CHECK,
  tls: 'TLS',
  login: 'Login',
  database: 'Database',
  queries: 'Queries',
};

/** The checks of this file, in order. Successful queries show in the checks that need them. */
export const CONNECTION_CHECKS = CONNECTION_STEPS.filter((step) => step !== 'queries').map((step) => CHECK_OF[step]);

function noTls({ mode }: TlsPolicy): Finding {
  return warning(CHECK_OF.tls, `none: the connection can be eavesdropped (sslmode ${mode})`);
}

function tlsFinding(policy: TlsPolicy, { tlsProtocol }: Route): Finding {
  if (tlsProtocol === undefined) {
    return noTls(policy);
  }
  const { mode } = policy;
  switch (mode) {
    case 'verify-full':
      return ok(CHECK_OF.tls, `${tlsProtocol}, certificate trusted and valid for the host name (sslmode ${mode})`);
    case 'verify-ca':
      return ok(CHECK_OF.tls, `${tlsProtocol}, certificate trusted (sslmode ${mode})`);
    default:
      return ok(CHECK_OF.tls, `${tlsProtocol}, certificate not verified (sslmode ${mode})`);
  }
}

/** Findings for a successful connection. */
export function connected(
  settings: ConnectionSettings,
  policy: TlsPolicy,
  route: Route,
  database: Database,
): readonly Finding[] {
  return [
    ok(CHECK_OF.name, `${settings.host} resolves to ${route.address}`),
    ok(CHECK_OF.port, `${settings.port} is open`),
    tlsFinding(policy, route),
    ok(CHECK_OF.login, `as "${settings.user}"`),
    ok(CHECK_OF.database, `"${settings.database}", ${sizeOnDisk(database.size)}`),
  ];
}

/** What a failure of a later step shows of TLS. */
function tlsBeforeFailure(policy: TlsPolicy): Finding {
  const transports = transportsFor(policy.mode);
  if (!transports.includes('plain')) {
    return ok(CHECK_OF.tls, 'passed');
  }
  return transports.includes('tls')
    ? warning(CHECK_OF.tls, `not known, because sslmode ${policy.mode} also allows a connection without it`)
    : noTls(policy);
}

/** Findings for a failed connection: the steps before the failed one succeeded. */
export function notConnected(
  { database, user }: ConnectionSettings,
  policy: TlsPolicy,
  failure: ConnectionFailure,
): readonly Finding[] {
  const grant =
    failure.step === 'database' && failure.sqlState === NO_PRIVILEGE
      ? [`GRANT CONNECT ON DATABASE ${identifier(database)} TO ${identifier(user)};`]
      : [];
  const at = CONNECTION_STEPS.indexOf(failure.step);
  return [
    ...CONNECTION_CHECKS.slice(0, at).map((check) =>
      check === CHECK_OF.tls ? tlsBeforeFailure(policy) : ok(check, 'passed'),
    ),
    problem(CHECK_OF[failure.step], failure, grant),
    ...unchecked(...CONNECTION_CHECKS.slice(at + 1)),
  ];
}

/** Findings if the certificate cannot be verified, so that no connection was tried. */
export function notVerifiable(error: unknown): readonly Finding[] {
  const { name, port, tls, login, database } = CHECK_OF;
  return [...unchecked(name, port), problem(tls, error), ...unchecked(login, database)];
}
