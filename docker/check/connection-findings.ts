import { CONNECTION_STEPS, type ConnectionFailure, type ConnectionStep } from '../postgres/connection-failure.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import type { Route } from '../postgres/connection.ts';
import type { Database } from '../postgres/database.ts';
import { identifier } from '../postgres/identifier.ts';
import type { TlsPolicy } from '../postgres/tls.ts';
import { sized } from '../progress.ts';
import { type Finding, ok, problem, unchecked, warning } from './finding.ts';

const CHECK_OF: Readonly<Record<ConnectionStep, string>> = {
  name: 'Host name',
  port: 'Port',
  tls: 'TLS',
  login: 'Login',
  database: 'Database',
  questions: 'Questions',
};

/** The checks of this file, in their order; that all questions are answered shows in the checks that ask them. */
export const CONNECTION_CHECKS = CONNECTION_STEPS.filter((step) => step !== 'questions').map((step) => CHECK_OF[step]);

function tlsFinding({ mode }: TlsPolicy, { tlsProtocol }: Route): Finding {
  if (tlsProtocol === undefined) {
    return warning(CHECK_OF.tls, `none: whoever is on the way can read along (sslmode ${mode})`);
  }
  switch (mode) {
    case 'verify-full':
      return ok(CHECK_OF.tls, `${tlsProtocol}, the certificate is trusted and names the host (sslmode ${mode})`);
    case 'verify-ca':
      return ok(CHECK_OF.tls, `${tlsProtocol}, the certificate is trusted (sslmode ${mode})`);
    default:
      return ok(CHECK_OF.tls, `${tlsProtocol}, the certificate is not verified (sslmode ${mode})`);
  }
}

/** What there is to say of a connection that was made. */
export function connected(
  target: ConnectionSettings,
  policy: TlsPolicy,
  route: Route,
  { size }: Database,
): readonly Finding[] {
  return [
    ok(CHECK_OF.name, `${target.host} is ${route.address}`),
    ok(CHECK_OF.port, `${target.port} is open`),
    tlsFinding(policy, route),
    ok(CHECK_OF.login, `as "${target.user}"`),
    ok(CHECK_OF.database, `"${target.database}", ${sized(size)} on disk (indexes included)`),
  ];
}

/** SQLSTATE insufficient_privilege. */
const NO_PRIVILEGE = '42501';

/** What there is to say of one that was not: the steps before the one that failed went well. */
export function notConnected({ database, user }: ConnectionSettings, failure: ConnectionFailure): readonly Finding[] {
  const grant =
    failure.step === 'database' && failure.sqlState === NO_PRIVILEGE
      ? [`GRANT CONNECT ON DATABASE ${identifier(database)} TO ${identifier(user)};`]
      : [];
  const at = CONNECTION_STEPS.indexOf(failure.step);
  return [
    ...CONNECTION_CHECKS.slice(0, at).map((check) => ok(check, 'passed')),
    problem(CHECK_OF[failure.step], failure, grant),
    ...unchecked(...CONNECTION_CHECKS.slice(at + 1)),
  ];
}

/** What there is to say of a certificate that can't be verified, without a try. */
export function notTrusted(error: unknown): readonly Finding[] {
  const { name, port, tls, login, database } = CHECK_OF;
  return [...unchecked(name, port), problem(tls, error), ...unchecked(login, database)];
}
