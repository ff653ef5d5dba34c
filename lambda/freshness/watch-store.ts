import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { FRESHNESS_KEY } from '../../contract.ts';
import { type Memory, readMemory, writeMemory } from '../core/freshness/watch.ts';

/**
 * Reads what the last check remembered; nothing if there was none.
 *
 * @throws {Error} if it cannot be read or is invalid: without it, dumps that are overdue would be forgotten
 */
export async function loadMemory(client: S3Client, bucket: string): Promise<Memory> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: FRESHNESS_KEY }));
    return readMemory((await Body?.transformToString()) ?? '');
  } catch (error) {
    if (error instanceof NoSuchKey) {
      return { watches: new Map() };
    }
    throw error;
  }
}

export async function storeMemory(client: S3Client, bucket: string, memory: Memory): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: FRESHNESS_KEY, Body: writeMemory(memory) }));
}
