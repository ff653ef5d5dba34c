import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { compressionOf, findClients, pickClient } from './clients.ts';
import type { Compression, PostgresClient } from './clients.ts';
import { withConnection } from './connection.ts';
import { checkReadable, inspect } from './database.ts';
import type { Database } from './database.ts';
import { findDump, writeManifest } from './dump-object.ts';
import type { Found } from './dump-object.ts';
import type { Task } from './environment.ts';
import { Failure } from './failure.ts';
import { fetchSecret } from './fetch-secret.ts';
import { dumpKey } from './key.ts';
import { takeInventory } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import { libpqEnvironment } from './libpq.ts';
import { log } from './log.ts';
import { makeDump } from './make.ts';
import type { Product } from './make.ts';
import { manifestOf, recoveredManifest } from './manifest.ts';
import type { Manifest, Plan } from './manifest.ts';
import { sized } from './progress.ts';
import { parseSecret } from './secret.ts';
import type { Target } from './target.ts';
import { tlsPolicy } from './tls.ts';
import type { TlsPolicy } from './tls.ts';

/** What a run finds around it. */
export interface Surroundings {
  /** Folders to look for client programs in, as in PATH. */
  readonly searchPath: string;
  /** Reads the PEM bundle of the roots of RDS; asked for RDS endpoints only. */
  readonly rdsRoots: () => string;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
}

/** A database that was reached and can be dumped, and with what. */
interface Source {
  readonly policy: TlsPolicy;
  readonly database: Database;
  readonly client: PostgresClient;
  readonly compression: Compression;
}

/**
 * Makes the dump of one secret for one scheduled time. When it returns, there is a proven dump with its manifest in S3.
 * Whether it returns or throws, nothing is left on the local disk.
 * @throws {Failure} with the reason; anything else but the signal's own is a fault of the program
 */
export async function dump(task: Task, surroundings: Surroundings): Promise<void> {
  const startedAt = new Date();
  const { signal } = surroundings;
  const plan = await planFor(task, signal);
  const found = await findDump(plan.object, task.region, signal);
  if (found !== undefined) {
    await recover(plan, found);
    return;
  }
  const source = await prepare(plan.target, surroundings);
  const inventory = await withConnection(plan.target, source.policy, signal, takeInventory);
  const product = await make(plan, source, inventory, surroundings);
  if (product.outcome === 'taken') {
    await recover(plan, await findDump(plan.object, task.region, signal));
    return;
  }
  const { database, client, compression } = source;
  const made = { database, inventory, client, compression, product, startedAt, finishedAt: new Date() };
  const manifest = manifestOf(plan, made);
  await writeManifest(manifest, task.region);
  conclude(manifest);
}

/** What the secret says is to be dumped, and where to. */
async function planFor(task: Task, signal: AbortSignal): Promise<Plan> {
  const secret = await fetchSecret(task, signal);
  const target = parseSecret(secret, task.buckets);
  const object = { bucket: target.bucket, key: dumpKey(secret.name, target.database, task.scheduledFor) };
  log(`Secret ${secret.name}, scheduled for ${task.scheduledFor}: dump to s3://${object.bucket}/${object.key}`);
  return { task, target, object };
}

/** Checks all that can be checked before the dump. */
async function prepare(target: Target, { searchPath, rdsRoots, signal }: Surroundings): Promise<Source> {
  const policy = tlsPolicy(target, rdsRoots);
  const database = await withConnection(target, policy, signal, inspect);
  checkReadable(database, target);
  const client = pickClient(await findClients(searchPath), database.major);
  const compression = await compressionOf(client);
  log(
    `Database "${target.database}" on ${target.host} port ${target.port}: PostgreSQL ${database.version}, ` +
      `${sized(database.size)} on disk (indexes included); sslmode ${policy.mode}; ` +
      `pg_dump ${client.version} with ${compression}`,
  );
  return { policy, database, client, compression };
}

/** Makes the dump in a folder of its own. */
async function make(
  { task, target, object }: Plan,
  { policy, database, client, compression }: Source,
  { indexBytes }: Inventory,
  { searchPath, signal }: Surroundings,
): Promise<Product> {
  const folder = await mkdtemp(join(task.scratch, 'autodump-'));
  try {
    const environment = await libpqEnvironment(target, policy, folder, searchPath);
    // Not less than the data take uncompressed, as a rule.
    const estimate = Math.max(database.size - indexBytes, 0);
    const order = { client, compression, environment, folder, estimate };
    return await makeDump(order, object, task.region, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An earlier attempt has committed the dump: only its manifest may be missing. */
async function recover(plan: Plan, found: Found | undefined): Promise<void> {
  const { task, object } = plan;
  if (found === undefined) {
    throw new Failure('tryAgain', `S3 says both that s3://${object.bucket}/${object.key} is there and that it is not.`);
  }
  const manifest = recoveredManifest(plan, found.bytes);
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
