import type { S3Client } from '@aws-sdk/client-s3';
import { FRESHNESS_KEY } from '../../contract.ts';
import { type Memory, readMemory, writeMemory } from '../core/freshness/memory.ts';
import { readText, writeText } from '../stored-text.ts';

/**
 * Reads what the last check remembered; nothing if there was none.
 *
 * @throws {Error} if it cannot be read or is invalid: without it, dumps that are overdue would be forgotten
 */
export async function loadMemory(client: S3Client, bucket: string): Promise<Memory> {
  const text = await readText(client, bucket, FRESHNESS_KEY);
  return text === undefined ? { watches: new Map(), drills: new Map() } : readMemory(text);
}

export async function storeMemory(client: S3Client, bucket: string, memory: Memory): Promise<void> {
  await writeText(client, bucket, FRESHNESS_KEY, writeMemory(memory));
}
