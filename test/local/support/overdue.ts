import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { FRESHNESS_KEY as Key } from '../../../contract.ts';
import type { AppWorld } from './app-world.ts';

const DAY_MS = 24 * 60 * 60_000;

const stateSchema = z.looseObject({ secrets: z.record(z.string(), z.looseObject({})) });

/** The bucket in which checks for overdue dumps keep their state. */
export function stateBucketOf({ world }: AppWorld): string {
  const bucket = world.buckets.find((name) => name.includes('freshness'));
  if (bucket === undefined) {
    throw new Error('The stack has no bucket for the state of checks.');
  }
  return bucket;
}

/** Triggers all schedules, and waits until the functions have ended. @returns the messages that were published */
export function check(app: AppWorld): Promise<readonly string[]> {
  return app.published(() => {
    app.world.triggerSchedules();
  });
}

/** Makes the next check miss the dump of a secret that is due daily, as if it had been tagged two days ago. */
export async function makeOverdue(app: AppWorld, secretArn: string): Promise<void> {
  const { s3 } = app.world;
  const Bucket = stateBucketOf(app);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const { secrets, ...state } = stateSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  const day = new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10);
  const changed = { ...secrets, [secretArn]: { ...secrets[secretArn], next: `${day}T00:00:00Z` } };
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify({ ...state, secrets: changed }) }));
}
