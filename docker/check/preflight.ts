import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { type Plan, readPlanAgain } from '../plan/plan.ts';
import { expiryOf } from '../plan/retention.ts';
import { wrongAssertions } from '../postgres/assertion.ts';
import {
  chooseDumpClient,
  clientWarning,
  type CompressionMethod,
  compressionMethodOf,
  findClients,
  type PostgresClient,
} from '../postgres/clients.ts';
import { ConnectionFailure } from '../postgres/connection/connection-failure.ts';
import { type Route, withConnection } from '../postgres/connection/connection.ts';
import { type Answer, ifAnswered } from '../postgres/connection/if-answered.ts';
import { tlsPolicy, type TlsPolicy } from '../postgres/connection/tls/tls.ts';
import { type Database, inspectDatabase } from '../postgres/database.ts';
import { inspectLoad } from '../postgres/dump-load.ts';
import { type Exclusions, exclusionsOf, NOTHING_EXCLUDED } from '../postgres/filters/exclusions.ts';
import { inspectLockTable, type LockTable } from '../postgres/lock-table.ts';
import { inspectPrivileges, type Privileges } from '../postgres/privileges.ts';
import { type UnqualifiedName, unqualifiedNames } from '../postgres/unqualified-names.ts';
import type { RunContext } from '../run-context.ts';
import { STORAGE_CLASSES } from '../s3/object.ts';
import { ASSERTIONS, assertionsFinding } from './assertions-finding.ts';
import { chooseJobs, describeJobs, type Jobs } from './choose-connections.ts';
import { connected, CONNECTION_CHECKS, notConnected, notVerifiable } from './connection-findings.ts';
import { FILTERS, filtersFinding } from './filters-finding.ts';
import { type Finding, ok, problem, problemsOf, runCheck, unchecked, warning } from './finding.ts';
import { LOCKS, locksFinding } from './locks-finding.ts';
import { POOLER, poolerFinding } from './pooler-finding.ts';
import { PRIVILEGE_CHECKS, privilegeFindings } from './privilege-findings.ts';
import { REPLICA, replicaFinding } from './replica-finding.ts';
import { RESTORABILITY, restorabilityFinding } from './restorability-finding.ts';
import { tryUpload } from './try-upload.ts';

/** The settings of a dump that passed all checks. */
export interface DumpSetup {
  readonly policy: TlsPolicy;
  readonly database: Database;
  readonly client: PostgresClient;
  readonly compressionMethod: CompressionMethod;
  /** What the filters leave out. */
  readonly exclusions: Exclusions;
  readonly jobs: Jobs;
}

/** What the checks of a database need to know of the plan. */
type DatabasePlan = Pick<Plan, 'source' | 'filters' | 'assertions' | 'parallel'>;

interface Examination {
  /** In the order of the checks. */
  readonly findings: readonly Finding[];
  /** Set if no finding is a problem. */
  readonly setup?: DumpSetup;
}

export interface PreflightResult extends Examination {
  /** What was checked. */
  readonly plan: Plan;
}

/** Whether the dump exists already, which the callers find out. */
export const KEY = 'Key';

const BUCKET = 'Bucket';
const VERSION = 'Server version';

/** How many connections read rows. */
const PARALLEL = 'Parallel';

/** The checks that need a connection. */
const SERVER_CHECKS = [POOLER, VERSION, FILTERS, ...PRIVILEGE_CHECKS, RESTORABILITY, LOCKS, REPLICA];

/** All checks, in order, except those of what few secrets have. */
export const PREFLIGHT_CHECKS: readonly string[] = [BUCKET, ...CONNECTION_CHECKS, ...SERVER_CHECKS];

function serverChecks({ assertions, parallel }: DatabasePlan): readonly string[] {
  return [...SERVER_CHECKS, ...(parallel === 1 ? [] : [PARALLEL]), ...(assertions.length === 0 ? [] : [ASSERTIONS])];
}

interface ServerState {
  readonly route: Route;
  readonly database: Database;
  readonly exclusions: Exclusions | Failure;
  readonly privileges: Privileges;
  readonly unqualified: Answer<readonly UnqualifiedName[]>;
  readonly lockTable: LockTable;
  readonly jobs: Jobs;
  readonly wrongAssertions: readonly string[];
}

async function inspectServer(
  { source, filters, assertions, parallel }: DatabasePlan,
  policy: TlsPolicy,
  signal: AbortSignal,
): Promise<ServerState> {
  return withConnection(source, policy, signal, async (client, route) => {
    const database = await inspectDatabase(client);
    const exclusions = await exclusionsOf(client, filters).catch(wrongFilters);
    const dumped = exclusions instanceof Failure ? NOTHING_EXCLUDED : exclusions;
    const privileges = await inspectPrivileges(client, database, dumped);
    const unqualified = await ifAnswered(client, 'functions that a restore calls', unqualifiedNames);
    const lockTable = await inspectLockTable(client, dumped);
    const jobs = await jobsOf(client, parallel, dumped);
    const wrong = await wrongAssertions(client, assertions);
    return { route, database, exclusions, privileges, unqualified, lockTable, jobs, wrongAssertions: wrong };
  });
}

/** Without need, the server is not asked. */
async function jobsOf(client: Client, parallel: number, exclusions: Exclusions): Promise<Jobs> {
  if (parallel === 1) {
    return { jobs: 1 };
  }
  const load = await ifAnswered(client, 'connections', (asked) => inspectLoad(asked, exclusions));
  return chooseJobs(parallel, availableParallelism(), load);
}

function wrongFilters(error: unknown): Failure {
  if (error instanceof Failure) {
    return error;
  }
  throw error;
}

type Tools = Pick<DumpSetup, 'client' | 'compressionMethod'>;

async function chooseTools(
  { version, major }: Database,
  clients: readonly PostgresClient[],
): Promise<{ readonly finding: Finding; readonly tools?: Tools }> {
  try {
    const client = chooseDumpClient(clients, major);
    const compressionMethod = await compressionMethodOf(client);
    const detail = `PostgreSQL ${version}; using pg_dump ${client.version} with ${compressionMethod}`;
    const outdated = clientWarning(client);
    const finding = outdated === undefined ? ok(VERSION, detail) : warning(VERSION, `${detail}; ${outdated}`);
    return { finding, tools: { client, compressionMethod } };
  } catch (error) {
    return { finding: problem(VERSION, error) };
  }
}

async function checkServer(
  plan: DatabasePlan,
  policy: TlsPolicy,
  { searchPath, signal }: RunContext,
): Promise<Examination> {
  const clients = findClients(searchPath);
  let state: ServerState;
  try {
    state = await inspectServer(plan, policy, signal);
  } catch (error) {
    if (error instanceof ConnectionFailure) {
      return { findings: [...notConnected(plan.source, policy, error), ...unchecked(...serverChecks(plan))] };
    }
    throw error;
  }
  const { route, database, exclusions, privileges, unqualified, lockTable, jobs } = state;
  const { finding: version, tools } = await chooseTools(database, await clients);
  const findings = [
    ...connected(plan.source, policy, route, database),
    poolerFinding(plan.source, route),
    version,
    filtersFinding(exclusions),
    ...privilegeFindings(privileges, database),
    restorabilityFinding(unqualified),
    locksFinding(lockTable),
    replicaFinding(database),
    ...(plan.parallel === 1 ? [] : [ok(PARALLEL, `connections that read rows: ${describeJobs(plan.parallel, jobs)}`)]),
    ...(plan.assertions.length === 0 ? [] : [assertionsFinding(plan.assertions, state.wrongAssertions)]),
  ];
  return {
    findings,
    ...(tools === undefined || exclusions instanceof Failure
      ? {}
      : { setup: { policy, database, exclusions, jobs, ...tools } }),
  };
}

async function checkDatabase(plan: DatabasePlan, context: RunContext): Promise<Examination> {
  let policy: TlsPolicy;
  try {
    policy = tlsPolicy(plan.source, context.rdsRoots);
  } catch (error) {
    return { findings: [...notVerifiable(error), ...unchecked(...serverChecks(plan))] };
  }
  return checkServer(plan, policy, context);
}

function storageOf({ task, object: { retention, storageClass = STORAGE_CLASSES[0] } }: Plan): string {
  const days = expiryOf(retention, task.retentionDays);
  const expiry =
    days === null ? 'its own lifecycle rules decide when a dump expires' : `a dump expires after ${days} days`;
  return `${expiry}; storage class ${storageClass}`;
}

async function examine(plan: Plan, s3: S3Client, context: RunContext): Promise<Examination> {
  const checkBucket = async () => {
    await tryUpload(s3, plan.object, context.signal);
    return `${plan.object.bucket} accepts uploads to this key; ${storageOf(plan)}`;
  };
  const checks = [runCheck(BUCKET, checkBucket), checkDatabase(plan, context)] as const;
  // If one is aborted, the other one ends first: it may have an upload open.
  await Promise.allSettled(checks);
  const [bucket, { findings, setup }] = await Promise.all(checks);
  const all = [bucket, ...findings];
  return { findings: all, ...(setup === undefined || problemsOf(all).length > 0 ? {} : { setup }) };
}

function isLoginRefused({ findings }: Examination): boolean {
  return problemsOf(findings).some(({ failure }) => failure instanceof ConnectionFailure && failure.step === 'login');
}

/**
 * Runs every check that is possible before a dump. A check is only skipped if an earlier problem prevents it, so that
 * one run finds all problems. Changes nothing in the database, and leaves nothing in the bucket. If the login is
 * refused, the secret is read once more: it may have been rotated since.
 *
 * @throws {Error} the signal's reason, or an internal error; a {@link Failure} becomes a finding
 * @throws {Failure} if the secret cannot be read again
 */
export async function runPreflight(plan: Plan, s3: S3Client, context: RunContext): Promise<PreflightResult> {
  const first = await examine(plan, s3, context);
  if (!isLoginRefused(first)) {
    return { plan, ...first };
  }
  const current = await readPlanAgain(plan, context.signal);
  if (isDeepStrictEqual(current.source, plan.source)) {
    return { plan, ...first };
  }
  log('The secret has changed since it was read, so the checks are repeated.');
  return { plan: current, ...(await examine(current, s3, context)) };
}
