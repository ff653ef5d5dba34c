import { rm } from 'node:fs/promises';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { drillOnce } from './drill-once.ts';
import { findDump } from './dump-file.ts';
import { runNow, scheduledBy } from './executions.ts';
import type { Options } from './options.ts';
import type { Database } from './postgres/database.ts';
import type { Prepared } from './prepare.ts';
import { type ReportDetails, type Summary, utc } from './report.ts';
import type { RunState } from './run-state.ts';
import { scheduleTags } from './schedule.ts';
import { World } from './services/world.ts';
import { StepFailed } from './steps.ts';
import { Watcher } from './watcher.ts';

/**
 * Starts the stack, creates a secret in it, and follows the secret's first run to its dump, and that to its drill.
 *
 * @throws {StepFailed} if a step fails; the run's cleanups stop whatever was started
 * @throws {Error} the reason of the signal, if it is aborted
 */
export async function dumpOnce(
  run: RunState,
  { programs, serverFolders, database, cdkOut }: Prepared,
): Promise<Summary & ReportDetails> {
  const { stateDir, reporter, steps, cleanups } = run;
  const watcher = new Watcher(reporter);
  const clientFolders = [...programs.map(({ folder }) => folder), ...serverFolders];
  const world = await steps.run('stack', () =>
    World.start({
      cdkOut,
      directory: stateDir,
      clientFolders,
      trace: (event) => {
        watcher.observe(event);
      },
    }),
  );
  cleanups.push(() => world.stop());
  const [bucket] = world.buckets;
  if (bucket === undefined) {
    throw new StepFailed('stack', 'The template has no bucket for dumps.');
  }
  // Those of an earlier run say nothing of this one, should it fail.
  await steps.run('earlier pages', () => Promise.all(world.pages.map((page) => rm(page))));
  reporter.done('stack', `running, with the bucket ${bucket}`);

  reporter.heading('After a deployment');
  world.sendDeploymentEvent();
  await steps.run('deployment', () => steps.orAborted(world.settled()));

  reporter.heading('A scheduled dump');
  const secretName = `local-${utc(new Date()).replace(/[-:]/g, '')}`;
  reporter.line(`Creating the secret ${secretName}, tagged with the schedule ${run.options.schedule}`);
  const { result: secretArn, execution } = await steps.run('schedule', () =>
    steps.orAborted(scheduledBy(world, watcher, () => createSecret(world, run.options, secretName, database, bucket))),
  );
  reporter.line('Skipping this wait, as if the scheduled time had come');
  await steps.run('dump', () => steps.orAborted(runNow(world, execution, watcher)));
  const { scheduledFor, dump, ...details } = await steps.run('proof', () =>
    findDump(world, bucket, secretName, programs),
  );

  const next = world.executions.find(({ wait }) => wait !== undefined)?.wait?.until;

  const drill = await drillOnce(run, world, watcher, secretArn, dump);

  reporter.heading('The periodic schedules');
  world.triggerSchedules();
  await steps.run('schedules', () => steps.orAborted(world.settled()));
  return {
    status: 'succeeded',
    execution: execution.arn,
    secretArn,
    scheduledFor,
    next: next === undefined ? null : utc(next),
    dump,
    drill,
    pages: world.pages,
    permissions: world.iam.permissions,
    ...details,
  };
}

/** Creates a tagged secret, as a user would. @returns its ARN */
async function createSecret(
  world: World,
  options: Options,
  name: string,
  { user, password, database, host, port, sslmode }: Database,
  bucket: string,
): Promise<string> {
  const value = {
    engine: 'postgres',
    endpoint: host,
    port,
    username: user,
    password,
    databasename: database,
    bucketname: bucket,
    ...(sslmode === undefined ? {} : { sslmode }),
  };
  const { ARN = '' } = await world.secretsManager.send(
    new CreateSecretCommand({
      Name: name,
      SecretString: JSON.stringify(value),
      Tags: [...scheduleTags(options)],
    }),
  );
  return ARN;
}
