import type { S3Client } from '@aws-sdk/client-s3';
import type { Plan } from '../plan/plan.ts';
import { type Compression, compressionOf, findClients, pickClient, type PostgresClient } from '../postgres/clients.ts';
import { ConnectionFailure } from '../postgres/connection-failure.ts';
import type { ConnectionSettings } from '../postgres/connection-settings.ts';
import { type Route, withConnection } from '../postgres/connection.ts';
import { type Database, inspect } from '../postgres/database.ts';
import { inspectPrivileges, type Privileges } from '../postgres/privileges.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/tls.ts';
import type { RunContext } from '../run-context.ts';
import { connected, CONNECTION_CHECKS, notConnected, notTrusted } from './connection-findings.ts';
import { checked, type Finding, ok, problemsOf, unchecked, warning } from './finding.ts';
import { PRIVILEGE_CHECKS, privilegeFindings } from './privilege-findings.ts';
import { tryBucket } from './try-upload.ts';

/** A database that was reached and can be dumped, and with what. */
export interface Source {
  readonly policy: TlsPolicy;
  readonly database: Database;
  readonly client: PostgresClient;
  readonly compression: Compression;
}

/** All that was found, in the order of the checks; without a problem among it there is a source. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly source?: Source;
}

const BUCKET = 'Bucket';
const VERSION = 'Server version';
const REPLICA = 'Replica';

/** The checks that take a connection. */
const SERVER_CHECKS = [VERSION, ...PRIVILEGE_CHECKS, REPLICA];

/** All checks, in their order. */
export const CHECKS: readonly string[] = [BUCKET, ...CONNECTION_CHECKS, ...SERVER_CHECKS];

interface Answers {
  readonly route: Route;
  readonly database: Database;
  readonly privileges: Privileges;
}

async function ask(target: ConnectionSettings, policy: TlsPolicy, signal: AbortSignal): Promise<Answers> {
  return withConnection(target, policy, signal, async (client, route) => {
    const database = await inspect(client);
    return { route, database, privileges: await inspectPrivileges(client, database) };
  });
}

/** What can be known before of conflicts with recovery: that there may be some, and after what time. */
function replicaFinding({ replica }: Database): Finding {
  if (replica === undefined) {
    return ok(REPLICA, 'no, a primary');
  }
  const { longestDelay, feedback } = replica;
  if (longestDelay === '-1') {
    return ok(REPLICA, 'yes, and it never cancels queries (max_standby_streaming_delay is -1)');
  }
  return warning(
    REPLICA,
    'yes: it may cancel a dump that holds up the changes of its primary for longer than max_standby_streaming_delay, ' +
      `which is ${longestDelay}; hot_standby_feedback, which makes that rarer, is ${feedback ? 'on' : 'off'}. Set the ` +
      'former to -1 and the latter to on, or dump the primary',
  );
}

async function examineServer(
  target: ConnectionSettings,
  policy: TlsPolicy,
  { searchPath, signal }: RunContext,
): Promise<Examination> {
  let answers: Answers;
  try {
    answers = await ask(target, policy, signal);
  } catch (error) {
    if (error instanceof ConnectionFailure) {
      return { findings: [...notConnected(target, error), ...unchecked(...SERVER_CHECKS)] };
    }
    throw error;
  }
  const { route, database, privileges } = answers;
  const clients = await findClients(searchPath);
  let source: Source | undefined;
  const version = await checked(VERSION, async () => {
    const client = pickClient(clients, database.major);
    source = { policy, database, client, compression: await compressionOf(client) };
    return `PostgreSQL ${database.version}, for which there is pg_dump ${client.version} with ${source.compression}`;
  });
  const findings = [
    ...connected(target, policy, route, database),
    version,
    ...privilegeFindings(privileges, database),
    replicaFinding(database),
  ];
  return { findings, ...(source === undefined ? {} : { source }) };
}

async function examineDatabase(target: ConnectionSettings, context: RunContext): Promise<Examination> {
  let policy: TlsPolicy;
  try {
    policy = tlsPolicy(target, context.rdsRoots);
  } catch (error) {
    return { findings: [...notTrusted(error), ...unchecked(...SERVER_CHECKS)] };
  }
  return examineServer(target, policy, context);
}

/**
 * Checks all that can be checked before a dump, each thing by itself unless one before stands in its way, so that all
 * problems are found at once. Nothing is changed, and nothing stays in the bucket.
 *
 * @throws {Error} the signal's reason, or a fault of the program; a failure is a finding
 */
export async function examine({ target, object }: Plan, s3: S3Client, context: RunContext): Promise<Examination> {
  const bucket = await checked(BUCKET, async () => {
    await tryBucket(s3, object, context.signal);
    return `${object.bucket} takes uploads to this key`;
  });
  const { findings, source } = await examineDatabase(target, context);
  const all = [bucket, ...findings];
  return { findings: all, ...(source === undefined || problemsOf(all).length > 0 ? {} : { source }) };
}
