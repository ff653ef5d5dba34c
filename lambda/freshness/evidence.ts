import type { S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { databaseInKey, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { DrillEvidence, DrillWatch, Memory } from '../core/freshness/memory.ts';
import { combinedEvidence, type EvidenceFacts, readEvidence } from '../core/status/evidence.ts';
import { evidenceToRead } from '../core/status/reading-plan.ts';
import { readBeside } from './read-beside.ts';

/** Each takes several times its size. */
const CONCURRENCY = 4;

/**
 * Reads the evidence of drills that was not read yet, as much as the day allows, counted with the manifests. What
 * cannot be read is noted.
 *
 * @returns the same memory if there was none to read
 */
export async function withEvidence(client: S3Client, memory: Memory, now: Date): Promise<Memory> {
  const { unread, reads } = evidenceToRead(memory, now);
  if (unread.length === 0) {
    return memory;
  }
  const read = await pMap(
    unread,
    async ({ arn, watch, objects }): Promise<[string, DrillWatch]> => {
      const { evidence, mayChange } = await fetchEvidence(client, objects);
      return [arn, { ...watch, evidence, evidenceRead: mayChange ? reads.day : undefined }];
    },
    { concurrency: CONCURRENCY },
  );
  return { ...memory, drills: new Map([...memory.drills, ...read]), manifestReads: reads };
}

interface Fetched {
  readonly evidence: DrillEvidence;
  readonly mayChange: boolean;
}

/** @param objects of one drill */
async function fetchEvidence(client: S3Client, objects: readonly StoredDump[]): Promise<Fetched> {
  const facts: [database: string, EvidenceFacts][] = [];
  let mayChange = false;
  for (const object of objects) {
    const read = await readBeside(client, object, 'evidence');
    const database = databaseInKey(object.key);
    facts.push([database, 'text' in read ? readEvidence(read.text) : { problem: read.problem }]);
    mayChange ||= 'problem' in read && read.mayChange;
  }
  const scheduledFor = whenOf(objects[0]?.key ?? '') ?? '';
  return { evidence: { scheduledFor, ...combinedEvidence(facts) }, mayChange };
}
