import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../aws.ts';
import { problemsOf } from '../check/finding.ts';
import { examine, type Source } from '../check/preflight.ts';
import { type DumpResult, makeDump } from '../engine/make-dump.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import type { Task } from '../plan/environment.ts';
import { type Plan, planFor } from '../plan/plan.ts';
import { withConnection } from '../postgres/connection.ts';
import { type Inventory, takeInventory } from '../postgres/inventory.ts';
import { libpqEnvironment } from '../postgres/libpq-environment.ts';
import { sized } from '../progress.ts';
import type { RunContext } from '../run-context.ts';
import { findDump, type ListedObject } from '../s3/find-dump.ts';
import { type Manifest, manifestOf, recoveredManifest } from './manifest.ts';
import { writeManifest } from './write-manifest.ts';

/**
 * Makes the dump of one secret for one scheduled time. When it returns, there is a proven dump with its manifest in S3.
 * Whether it returns or throws, nothing is left on the local disk.
 *
 * @throws {Failure} with the reason; anything else but the signal's own is a fault of the program
 */
export async function dump(task: Task, context: RunContext): Promise<void> {
  const s3 = openS3(task.region);
  try {
    await dumpTo(s3, task, context);
  } finally {
    s3.destroy();
  }
}

async function dumpTo(s3: S3Client, task: Task, context: RunContext): Promise<void> {
  const startedAt = new Date();
  const { signal } = context;
  const plan = await planFor(task, signal);
  const found = await findDump(s3, plan.object, signal);
  if (found !== undefined) {
    await recover(s3, plan, found);
    return;
  }
  const source = await prepare(s3, plan, context);
  const inventory = await withConnection(plan.target, source.policy, signal, takeInventory);
  const product = await make(s3, plan, source, inventory, context);
  if (product.outcome === 'taken') {
    await recover(s3, plan, await findDump(s3, plan.object, signal));
    return;
  }
  const { database, client, compression } = source;
  const made = { database, inventory, client, compression, product, startedAt, finishedAt: new Date() };
  const manifest = manifestOf(plan, made);
  await writeManifest(s3, manifest);
  conclude(manifest);
}

/**
 * Checks all that can be checked before the dump.
 *
 * @throws {Failure} of the first problem; all of them are logged
 */
async function prepare(s3: S3Client, plan: Plan, context: RunContext): Promise<Source> {
  const { findings, source } = await examine(plan, s3, context);
  for (const finding of findings) {
    if (finding.state === 'warning') {
      log(`Warning: ${finding.check}: ${finding.found}`);
    }
  }
  const problems = problemsOf(findings);
  for (const { check, failure } of problems) {
    log(`Problem: ${check}: ${failure.message}`);
  }
  if (source === undefined) {
    throw problems[0]?.failure ?? new Error('The checks gave neither a source nor a problem.');
  }
  const { target } = plan;
  const { policy, database, client, compression } = source;
  log(
    `Database "${target.database}" on ${target.host} port ${target.port}: PostgreSQL ${database.version}, ` +
      `${sized(database.size)} on disk (indexes included); sslmode ${policy.mode}; ` +
      `pg_dump ${client.version} with ${compression}`,
  );
  return source;
}

/** Makes the dump in a folder of its own. */
async function make(
  s3: S3Client,
  { task, target, object }: Plan,
  { policy, database, client, compression }: Source,
  { indexBytes }: Inventory,
  { searchPath, signal }: RunContext,
): Promise<DumpResult> {
  const folder = await mkdtemp(join(task.scratch, 'autodump-'));
  try {
    const environment = await libpqEnvironment(target, policy, folder, searchPath);
    // As a rule more than the dump will have: data out of line may be compressed at the server already, and so is the dump.
    const estimate = Math.max(database.size - indexBytes, 0);
    const options = { client, compression, environment, folder, estimate };
    return await makeDump(options, s3, object, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An earlier attempt has committed the dump: only its manifest may be missing. */
async function recover(s3: S3Client, plan: Plan, found: ListedObject | undefined): Promise<void> {
  const { object } = plan;
  if (found === undefined) {
    throw new Failure('tryAgain', `S3 says both that s3://${object.bucket}/${object.key} is there and that it is not.`);
  }
  const manifest = recoveredManifest(plan, found.bytes);
  const outcome = await writeManifest(s3, manifest);
  log(
    'An earlier attempt has made this dump already; it is never made or overwritten a second time. ' +
      (outcome === 'written'
        ? 'Its manifest was missing and is written now, marked as recovered.'
        : 'Its manifest is there as well.'),
  );
  conclude(manifest);
}

function conclude({ object, proof, restore }: Manifest): void {
  const sha256 = proof.sha256 === null ? '' : `, SHA-256 ${proof.sha256}`;
  log(`Done: s3://${object.bucket}/${object.key}, ${proof.bytes} bytes${sha256}`);
  log(`Proof: ${proof.method}`);
  log(`Restore: ${restore}`);
}
