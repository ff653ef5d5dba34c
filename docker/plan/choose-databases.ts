import { isDeepStrictEqual } from 'node:util';
import { log } from '../log.ts';
import { ConnectionFailure } from '../postgres/connection/connection-failure.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { tlsPolicy } from '../postgres/connection/tls/tls.ts';
import { type ServerDatabase, serverDatabases } from '../postgres/server-databases.ts';
import type { RunContext } from '../run-context.ts';
import type { DatabasesOfRun } from './databases.ts';
import { readPlan, type SecretPlan } from './plan.ts';

/** The database that is asked for all others, which every server has unless somebody has dropped it. */
export const FIRST_ASKED = 'postgres';

/** The one that is asked if the user may not connect to that. */
const ASKED_NEXT = 'template1';

/** The databases of a run, and where the server was asked for them. */
export interface ChosenDatabases extends DatabasesOfRun {
  readonly secret: SecretPlan;
  /** A database that the user may connect to or, if a list has none, the first of them. */
  readonly asked: ConnectionSettings;
}

/**
 * Asks the server for its databases. If the login is refused, the secret is read once more: it may have been rotated
 * since.
 *
 * @throws {ConnectionFailure} if the server cannot be reached, or all of its databases are wanted and it does not say
 * @throws {Failure} if its certificate cannot be verified, or the secret cannot be read again
 */
export async function chooseDatabases(secret: SecretPlan, context: RunContext): Promise<ChosenDatabases> {
  try {
    return await choose(secret, context);
  } catch (error) {
    if (!(error instanceof ConnectionFailure && error.step === 'login')) {
      throw error;
    }
    const current = await readPlan(secret.task, context.signal);
    if (isDeepStrictEqual(current.server, secret.server)) {
      throw error;
    }
    log('The secret has changed since it was read, so that the server is asked again.');
    return choose(current, context);
  }
}

async function choose(secret: SecretPlan, context: RunContext): Promise<ChosenDatabases> {
  const { databases } = secret;
  if (databases.kind === 'all') {
    const found = await askServer(secret, [FIRST_ASKED, ASKED_NEXT], context);
    if (found instanceof ConnectionFailure) {
      throw found;
    }
    return { secret, asked: found.asked, ...allOf(found.databases) };
  }
  const names = databases.kind === 'list' ? databases.names : [databases.name];
  const found = await askServer(secret, names, context);
  if (found instanceof ConnectionFailure) {
    // Each of them fails, and says why.
    const [database = ''] = names;
    return { secret, asked: { ...secret.server, database }, names, leftOut: [] };
  }
  return { secret, asked: found.asked, names: largestFirst(names, found.databases), leftOut: [] };
}

interface Answer {
  readonly asked: ConnectionSettings;
  readonly databases: readonly ServerDatabase[];
}

/** SQLSTATE invalid_authorization_specification: the server's pg_hba.conf may allow other databases. */
const NOT_ALLOWED = '28000';

function isAboutDatabase({ step, sqlState }: ConnectionFailure): boolean {
  return step === 'database' || sqlState === NOT_ALLOWED;
}

/** @returns the first failure if the user can connect to none of these databases */
async function askServer(
  { server }: SecretPlan,
  candidates: readonly string[],
  { rdsRoots, signal }: RunContext,
): Promise<Answer | ConnectionFailure> {
  const policy = tlsPolicy(server, rdsRoots);
  let failure: ConnectionFailure | undefined;
  for (const database of candidates) {
    const asked = { ...server, database };
    try {
      return { asked, databases: await withConnection(asked, policy, signal, serverDatabases) };
    } catch (error) {
      if (!(error instanceof ConnectionFailure && isAboutDatabase(error))) {
        throw error;
      }
      failure ??= error;
    }
  }
  if (failure === undefined) {
    throw new Error('There is no database to ask the server by.');
  }
  return failure;
}

function allOf(databases: readonly ServerDatabase[]): DatabasesOfRun {
  const ordinary = databases.filter(({ isOrdinary }) => isOrdinary);
  return {
    names: [...new Set(ordinary.filter(({ mayConnect }) => mayConnect).map(({ name }) => name))],
    leftOut: ordinary
      .filter(({ mayConnect }) => !mayConnect)
      .map(({ name }) => ({ database: name, reason: 'the user may not connect to it' })),
  };
}

/** Those that the server does not have come last, and fail by themselves. */
function largestFirst(names: readonly string[], databases: readonly ServerDatabase[]): readonly string[] {
  const order = databases.map(({ name }) => name);
  const rankOf = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return names.toSorted((one, other) => rankOf(one) - rankOf(other));
}
