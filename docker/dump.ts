import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { dumpDatabase, verifyArchive } from './archive.ts';
import type { Checksums } from './checksum.ts';
import { findDump, writeManifest } from './dump-object.ts';
import type { Task } from './environment.ts';
import { examine } from './examination.ts';
import type { Source, Surroundings } from './examination.ts';
import { Failure } from './failure.ts';
import { problemsOf } from './finding.ts';
import { libpqEnvironment } from './libpq.ts';
import { log } from './log.ts';
import { manifestOf, recoveredManifest } from './manifest.ts';
import type { Manifest, Plan } from './manifest.ts';
import { planFor } from './plan.ts';
import { sized } from './progress.ts';
import { uploadDump } from './upload.ts';

/**
 * Makes the dump of one secret for one scheduled time. When it returns, there is a proven dump with its manifest in S3.
 * Whether it returns or throws, nothing is left on the local disk.
 * @throws {Failure} with the reason; anything else but the signal's own is a fault of the program
 */
export async function dump(task: Task, surroundings: Surroundings): Promise<void> {
  const startedAt = new Date();
  const { signal } = surroundings;
  const plan = await planFor(task, signal);
  const bytes = await findDump(plan.object, task.region, signal);
  if (bytes !== undefined) {
    await recover(plan, bytes);
    return;
  }
  const source = await prepare(plan, surroundings);
  const checksums = await make(plan, source, surroundings);
  if (checksums === 'taken') {
    await recover(plan, await findDump(plan.object, task.region, signal));
    return;
  }
  const { database, client, compression } = source;
  const made = { serverVersion: database.version, client, compression, checksums, startedAt, finishedAt: new Date() };
  const manifest = manifestOf(plan, made);
  await writeManifest(manifest, task.region);
  conclude(manifest);
}

/**
 * Checks all that can be checked before the dump.
 * @throws {Failure} of the first problem; all of them are logged
 */
async function prepare(plan: Plan, surroundings: Surroundings): Promise<Source> {
  const { findings, source } = await examine(plan, surroundings);
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

/**
 * Dumps, proves, commits, in this order: nothing is uploaded that was not read back whole.
 * @returns checksums of the dump, or `taken` if the key had an object by then
 */
async function make(
  { task, target, object }: Plan,
  { policy, database, client, compression }: Source,
  { searchPath, signal }: Surroundings,
): Promise<Checksums | 'taken'> {
  const folder = await mkdtemp(join(task.scratch, 'autodump-'));
  try {
    const environment = await libpqEnvironment(target, policy, folder, searchPath);
    const order = { client, compression, environment, file: join(folder, 'dump'), databaseSize: database.size };
    await dumpDatabase(order, signal);
    const checksums = await verifyArchive(order, signal);
    const outcome = await uploadDump(order.file, object, checksums, { region: task.region, signal });
    return outcome === 'taken' ? outcome : checksums;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An earlier attempt has committed the dump: only its manifest may be missing. */
async function recover(plan: Plan, bytes: number | undefined): Promise<void> {
  const { task, object } = plan;
  if (bytes === undefined) {
    throw new Failure('tryAgain', `S3 says both that s3://${object.bucket}/${object.key} is there and that it is not.`);
  }
  const manifest = recoveredManifest(plan, bytes);
  const outcome = await writeManifest(manifest, task.region);
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
