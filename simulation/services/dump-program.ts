import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Template } from '../../local/assembly/template.ts';
import { iso } from '../runtime/time.ts';
import { failedJob } from './batch.ts';
import type { Execution } from './execution.ts';
import type { ObjectStore } from './object-store.ts';

const jobSchema = z.object({
  ContainerProperties: z.object({
    Environment: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
  }),
});

/** The default bucket of the dump job. */
export function dumpBucketOf(template: Template): string {
  const variables = template
    .ofType('AWS::Batch::JobDefinition')
    .flatMap((resource) => template.properties(resource, jobSchema).ContainerProperties.Environment);
  const buckets = variables.find(({ Name }) => Name === 'AUTODUMP_BUCKETS')?.Value;
  if (buckets === undefined) {
    throw new Error('No job of the template has a variable AUTODUMP_BUCKETS.');
  }
  return buckets.replace(/,.*/, '');
}

/** Leaves in S3 what the dump program does: a dump, here without contents, and its manifest. */
export function leaveDump(
  store: ObjectStore,
  bucket: string,
  { name, secret, when }: Pick<Execution, 'name' | 'secret' | 'when'>,
  now: number,
): void {
  const scheduledFor = iso(when);
  const key = `${secret.name}/db-${scheduledFor.replace(/[-:]/g, '')}.dmp`;
  const dump = Buffer.from(secret.name);
  const manifest = {
    manifestVersion: 1,
    secretArn: secret.arn,
    execution: name,
    scheduledFor,
    source: { host: 'db.example.com', port: 5432, database: 'db', serverVersion: '17.10', databaseBytes: 1000 },
    object: { bucket, key },
    proof: { bytes: dump.length, sha256: hash('sha256', dump), verified: true },
    startedAt: iso(now - 60_000),
    finishedAt: iso(now),
    seconds: { dump: 40, proof: 50, commit: 60 },
    recovered: false,
    tables: [{ schema: 'public', name: 'orders', rows: 1, provenRows: 1 }],
  };
  const tags = { 'autodump:retention': 'stack' };
  store.put(bucket, key, dump, tags);
  store.put(bucket, `${key}.json`, Buffer.from(JSON.stringify(manifest)), tags);
}

/**
 * Leaves beside the newest dump in S3 what a drill of it does: the evidence.
 *
 * @throws {TaskError} if there is no dump: then the job fails
 */
export function leaveEvidence(
  store: ObjectStore,
  bucket: string,
  { name, secret, when }: Pick<Execution, 'name' | 'secret' | 'when'>,
  now: number,
): void {
  const key = store
    .keys(bucket, `${secret.name}/`)
    .filter((each) => each.endsWith('.dmp'))
    .at(-1);
  if (key === undefined) {
    throw failedJob(name, 'Essential container in task exited', 77);
  }
  const evidence = {
    version: 1,
    dump: { bucket, key, bytes: secret.name.length, sha256: hash('sha256', secret.name) },
    verdict: 'equal',
    reason: '1 of 1 tables equal',
    tables: { total: 1, equal: 1 },
    rows: 1,
    largeObjects: 0,
    differences: [],
    notRestored: [],
    refused: [],
    notCompared: [],
    seconds: { usable: 50, total: 60 },
    versions: { server: '17.10', pgRestore: '17.10' },
    startedAt: iso(now - 60_000),
    finishedAt: iso(now),
    execution: name,
  };
  const time = iso(when).replace(/[-:]/g, '');
  store.put(bucket, `${key}.drill-${time}.json`, Buffer.from(JSON.stringify(evidence)));
}
