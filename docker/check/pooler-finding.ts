import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import type { Route } from '../postgres/connection/connection.ts';
import { poolerFailure } from '../postgres/pooler.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

export const POOLER = 'Pooler';

export function poolerFinding(source: ConnectionSettings, route: Route): Finding {
  const failure = poolerFailure(source, route);
  if (failure !== undefined) {
    return problem(POOLER, failure);
  }
  return route.isPooled
    ? warning(
        POOLER,
        'yes; the secret says that it pools sessions. If it pools transactions, a dump breaks other clients',
      )
    : ok(POOLER, 'none: the server itself answers');
}
