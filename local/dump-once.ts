import { rm } from 'node:fs/promises';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { findDump } from './dump-file.ts';
import type { Options } from './options.ts';
import type { Database } from './postgres/database.ts';
import type { Prepared } from './prepare.ts';
import { type ReportDetails, type Summary, utc } from './report.ts';
import type { RunState } from './run-state.ts';
import { scheduleTags } from './schedule.ts';
import type { Execution } from './services/execution.ts';
import { World } from './services/world.ts';
import { StepFailed } from './steps.ts';
import { Watcher } from './watcher.ts';

/**
 * Starts the stack, creates a secret in it, and follows the secret's first run to its dump.
 *
 * @throws {StepFailed} if a step fails; the run's cleanups stop whatever was started
 * @throws {Error} the reason of the signal, if it is aborted
 */
export async function dumpOnce(
  run: RunState,
  { programs, database, cdkOut }: Prepared,
): Promise<Summary & ReportDetails> {
  const { stateDir, reporter, steps, cleanups } = run;
  const watcher = new Watcher(reporter);
  const clientFolders = programs.map(({ folder }) => folder);
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
  const secretArn = await steps.run('secret', () => createSecret(world, run.options, secretName, database, bucket));
  const execution = await steps.run('schedule', () => steps.orAborted(scheduledExecution(world, watcher)));
  reporter.line('Skipping this wait, as if the scheduled time had come');
  execution.wait?.finish();
  await steps.run('dump', () => steps.orAborted(success(world, execution, watcher)));
  const { scheduledFor, dump, ...details } = await steps.run('proof', () =>
    findDump(world, bucket, secretName, programs),
  );

  reporter.heading('The periodic schedules');
  world.triggerSchedules();
  await steps.run('schedules', () => steps.orAborted(world.settled()));
  const next = world.executions.find(({ wait }) => wait !== undefined)?.wait?.until;
  return {
    status: 'succeeded',
    execution: execution.arn,
    secretArn,
    scheduledFor,
    next: next === undefined ? null : utc(next),
    dump,
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

/**
 * Waits until the secret's event has been handled, and everything that it started has ended or waits.
 *
 * @returns the execution that waits for the secret's next run
 */
async function scheduledExecution(world: World, watcher: Watcher): Promise<Execution> {
  await world.settled();
  await Promise.race([watcher.waits, Promise.all(world.executions.map(({ ended }) => ended))]);
  await Promise.all(world.executions.filter(({ wait }) => wait === undefined).map(({ ended }) => ended));
  await world.settled();
  const execution = world.executions.find(({ wait }) => wait !== undefined);
  if (execution !== undefined) {
    return execution;
  }
  const explanation = `After the secret's event no execution waits. The logs of the functions are in ${world.logs}.`;
  throw new Error([watcher.functionError, explanation].filter(Boolean).join('\n'));
}

/**
 * Waits until the execution has ended and its end was reported.
 *
 * @throws {Error} with the error output of the job if there is any, or else with the cause of the execution's failure
 */
async function success(world: World, execution: Execution, watcher: Watcher): Promise<void> {
  const end = await execution.ended;
  await world.settled();
  if (end.status === 'FAILED') {
    throw new Error(watcher.jobErrors || `${end.error}: ${end.cause}`);
  }
  if (end.status === 'ABORTED') {
    throw new Error('The execution was aborted.');
  }
}
