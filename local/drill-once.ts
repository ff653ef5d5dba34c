import { readFile } from 'node:fs/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { TagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { runNow, scheduledBy } from './executions.ts';
import type { Summary } from './report.ts';
import type { RunState } from './run-state.ts';
import { drillTag } from './schedule.ts';
import type { World } from './services/world.ts';
import type { Watcher } from './watcher.ts';

/** The fields of the evidence that the local run reads. */
const evidenceSchema = z.object({
  verdict: z.literal('equal'),
  tables: z.object({ total: z.number(), equal: z.number() }),
  rows: z.number(),
  seconds: z.object({ usable: z.number() }),
});

/**
 * Puts the drills of a secret on a schedule, as a user would, and follows the first one to its evidence.
 *
 * @throws {StepFailed} if a step fails
 */
export async function drillOnce(
  { reporter, steps }: RunState,
  world: World,
  watcher: Watcher,
  secretArn: string,
  { bucket, key }: Summary['dump'],
): Promise<Summary['drill']> {
  const tag = drillTag();
  reporter.heading('A scheduled drill');
  reporter.line(`Tagging the secret with ${tag.Key} ${tag.Value}`);
  const { execution } = await steps.run('drill schedule', () =>
    steps.orAborted(
      scheduledBy(world, watcher, () =>
        world.secretsManager.send(new TagResourceCommand({ SecretId: secretArn, Tags: [tag] })),
      ),
    ),
  );
  reporter.line('Skipping this wait as well');
  return steps.run('drill', async () => {
    await steps.orAborted(runNow(world, execution, watcher));
    return readEvidence(world, bucket, key);
  });
}

/** @throws {Error} if there is no evidence that the restored database is equal to the dump */
async function readEvidence(world: World, bucket: string, key: string): Promise<Summary['drill']> {
  const { Contents = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${key}.drill-` }));
  const file = world.fileOf(bucket, Contents[0]?.Key ?? '');
  if (file === undefined) {
    throw new Error(`The execution succeeded, but there is no evidence of a drill of s3://${bucket}/${key}.`);
  }
  const { verdict, tables, rows, seconds } = evidenceSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  return { verdict, evidence: file, seconds: seconds.usable, tables, rows };
}
