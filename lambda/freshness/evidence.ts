import type { S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { DrillEvidence, DrillWatch, Memory } from '../core/freshness/memory.ts';
import { readEvidence } from '../core/status/evidence.ts';
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
    async ({ arn, watch, object }): Promise<[string, DrillWatch]> => {
      const { evidence, mayChange } = await fetchEvidence(client, object);
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

async function fetchEvidence(client: S3Client, object: StoredDump): Promise<Fetched> {
  const scheduledFor = whenOf(object.key) ?? '';
  const read = await readBeside(client, object, 'evidence');
  if ('text' in read) {
    return { evidence: { scheduledFor, ...readEvidence(read.text) }, mayChange: false };
  }
  const { problem, mayChange } = read;
  return { evidence: { scheduledFor, problem }, mayChange };
}
