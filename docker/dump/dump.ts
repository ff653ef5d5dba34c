import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { describeJobs } from '../check/choose-connections.ts';
import { failureOf, problem, problemsOf } from '../check/finding.ts';
import { type DumpSetup, KEY, runPreflight } from '../check/preflight.ts';
import { type DumpResult, makeDump } from '../engine/make-dump.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import type { Plan } from '../plan/plan.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { libpqEnvironment } from '../postgres/connection/libpq-environment.ts';
import { describeLeftOut } from '../postgres/filters/left-out.ts';
import { type Inventory, takeInventory } from '../postgres/inventory.ts';
import { inspectNeeds } from '../postgres/needs/needs.ts';
import { sizeOnDisk } from '../progress.ts';
import type { RunContext } from '../run-context.ts';
import { abortEarlierUploads } from '../s3/earlier-uploads.ts';
import { findDump, type ListedObject } from '../s3/find-dump.ts';
import { type Manifest, manifestOf, recoveredManifest } from './manifest.ts';
import { watchForDdl } from './watch-for-ddl.ts';
import { writeManifest } from './write-manifest.ts';

/**
 * Dumps one database. When it returns, S3 has a proven dump with its manifest.
 *
 * @throws {Failure} with the reason; any other error, except the signal's reason, is an internal error
 */
export async function dumpDatabase(s3: S3Client, planned: Plan, context: RunContext): Promise<void> {
  const startedAt = new Date();
  const { signal } = context;
  const found = await lookForDump(s3, planned, context);
  const { job } = planned.task;
  if (job !== undefined) {
    await abortEarlierUploads(s3, planned.object, job, signal);
  }
  if (found !== undefined) {
    await recover(s3, planned, found);
    return;
  }
  const { plan, setup } = await prepare(s3, planned, context);
  const { inventory, needs } = await withConnection(plan.source, setup.policy, signal, async (connection) => ({
    inventory: await takeInventory(connection, setup.exclusions),
    needs: await inspectNeeds(connection, setup.exclusions),
  }));
  for (const reason of needs.unseen) {
    log(`Warning: the manifest will not have all that the database needs besides its dump: ${reason}`);
  }
  const result = await make(s3, plan, setup, inventory, context);
  if (result.outcome === 'taken') {
    await recover(s3, plan, await findDump(s3, plan.object, signal));
    return;
  }
  const { database, client, exclusions } = setup;
  const { leftOut } = exclusions;
  const finished = {
    database,
    inventory,
    leftOut,
    needs,
    client,
    result,
    startedAt,
    finishedAt: new Date(),
  };
  const manifest = manifestOf(plan, finished);
  await writeManifest(s3, plan.object, manifest);
  logSummary(manifest);
}

/**
 * Looks whether an earlier attempt has made the dump.
 *
 * @throws {Failure} if S3 does not say so, that also names the problems that the checks find
 */
async function lookForDump(s3: S3Client, planned: Plan, context: RunContext): Promise<ListedObject | undefined> {
  try {
    return await findDump(s3, planned.object, context.signal);
  } catch (error) {
    const key = problem(KEY, error);
    const { findings } = await runPreflight(planned, s3, context);
    throw failureOf(key, problemsOf(findings));
  }
}

/**
 * Runs all checks that are possible before the dump.
 *
 * @throws {Failure} that names all problems
 */
async function prepare(
  s3: S3Client,
  planned: Plan,
  context: RunContext,
): Promise<{ readonly plan: Plan; readonly setup: DumpSetup }> {
  const { plan, findings, setup } = await runPreflight(planned, s3, context);
  for (const finding of findings) {
    if (finding.state === 'warning') {
      log(`Warning: ${finding.check}: ${finding.detail}`);
    }
  }
  if (setup === undefined) {
    const [first, ...others] = problemsOf(findings);
    throw first === undefined
      ? new Error('The checks returned neither a setup nor a problem.')
      : failureOf(first, others);
  }
  const { source } = plan;
  const { policy, database, client, compressionMethod, exclusions } = setup;
  log(
    `Database "${source.database}" on ${source.host} port ${source.port}: PostgreSQL ${database.version}, ` +
      `${sizeOnDisk(database.size)}; sslmode ${policy.mode}; ` +
      `pg_dump ${client.version} with ${compressionMethod}`,
  );
  if (plan.parallel > 1) {
    log(`Connections that read rows: ${describeJobs(plan.parallel, setup.jobs)}.`);
  }
  const leftOut = describeLeftOut(exclusions.leftOut);
  if (leftOut !== '') {
    log(`The filters of the secret leave out ${leftOut}`);
  }
  return { plan, setup };
}

/** Makes the dump in a temporary folder. */
async function make(
  s3: S3Client,
  { task, source, filters, object }: Plan,
  { policy, database, client, compressionMethod, exclusions, jobs: { jobs } }: DumpSetup,
  inventory: Inventory,
  { searchPath, signal }: RunContext,
): Promise<DumpResult> {
  const folder = await mkdtemp(join(task.scratch, 'autodump-'));
  try {
    const environment = await libpqEnvironment(source, policy, folder, searchPath);
    // Usually more than the size of the dump, which is compressed, as out-of-line values on the server may be already.
    const estimate = Math.max((database.size ?? 0) - inventory.indexBytes, 0);
    const { encoding } = database;
    const options = {
      client,
      compressionMethod,
      encoding,
      filters,
      environment,
      job: task.job,
      folder,
      beforeDump: (dumpSignal: AbortSignal) => watchForDdl(source, policy, exclusions, dumpSignal),
      estimate,
      largeObjectBytes: inventory.largeObjectBytes,
      jobs,
    };
    return await makeDump(options, s3, object, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An earlier attempt committed the dump, but may not have written its manifest. */
async function recover(s3: S3Client, plan: Plan, found: ListedObject | undefined): Promise<void> {
  const { object } = plan;
  if (found === undefined) {
    throw new Failure(
      'tryAgain',
      `S3 refused to create s3://${object.bucket}/${object.key} because it exists, but does not list it.`,
    );
  }
  const manifest = recoveredManifest(plan, found.bytes);
  const outcome = await writeManifest(s3, object, manifest);
  log(
    'An earlier attempt already made this dump; a dump is never repeated or overwritten. ' +
      (outcome === 'written'
        ? 'Its manifest was missing and has been written, marked as recovered.'
        : 'Its manifest exists as well.'),
  );
  logSummary(manifest);
}

function logSummary({ object, proof, restore }: Manifest): void {
  const sha256 = proof.sha256 === null ? '' : `, SHA-256 ${proof.sha256}`;
  log(`Done: s3://${object.bucket}/${object.key}, ${proof.bytes} bytes${sha256}`);
  log(`Proof: ${proof.method}`);
  log(`Restore: ${restore}`);
}
