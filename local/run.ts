import { join, resolve } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { synthesize } from './assembly/synth.ts';
import { findDump } from './dump-file.ts';
import { Processes } from './host/processes.ts';
import { takeStateDir } from './host/state-dir.ts';
import type { DatabaseOption, Options } from './options.ts';
import { type Clients, provideClients } from './postgres/clients.ts';
import { SAMPLE_MAJOR, startSample } from './postgres/sample.ts';
import { type Reporter, type Summary, type Told, utc } from './report.ts';
import type { Execution } from './services/execution.ts';
import type { Happening } from './services/trace.ts';
import { startWorld, type World } from './services/world.ts';
import { StepFailed, Steps } from './steps.ts';

/** Ends what was started, the last first. */
type Cleanups = (() => Promise<void>)[];

/** What the steps share. */
export interface Run {
  readonly options: Options;
  readonly stateDir: string;
  readonly reporter: Reporter;
  readonly steps: Steps;
  readonly processes: Processes;
  readonly cleanups: Cleanups;
}

export interface Prepared {
  readonly clients: readonly Clients[];
  readonly database: DatabaseOption;
  readonly cdkOut: string;
}

/**
 * One local run: from a tagged secret to a proven dump.
 *
 * @param signal ends the run early; in any case everything is stopped when this returns or throws
 * @throws {StepFailed}, or the reason of the signal
 */
export async function localRun(options: Options, reporter: Reporter, signal: AbortSignal): Promise<Summary & Told> {
  const stateDir = resolve(options.stateDir);
  const processes = new Processes();
  const cleanups: Cleanups = [];
  const run = { options, stateDir, reporter, steps: new Steps(reporter, signal), processes, cleanups };
  const stopProcesses = (): void => void processes.stop();
  signal.addEventListener('abort', stopProcesses);
  const [ended] = await Promise.allSettled([prepare(run).then((prepared) => dumpOnce(run, prepared))]);
  const left = await cleanUp(cleanups, reporter);
  signal.removeEventListener('abort', stopProcesses);
  // What ended the run before comes first.
  if (ended.status === 'rejected') {
    throw ended.reason;
  }
  if (left !== undefined) {
    throw left;
  }
  return ended.value;
}

/** Whatever goes wrong with one, the others are done. @returns the first error */
async function cleanUp(cleanups: Cleanups, reporter: Reporter): Promise<Error | undefined> {
  let first: Error | undefined;
  for (const cleanup of cleanups.toReversed()) {
    try {
      await cleanup();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      reporter.line(`Something could not be ended: ${failure.message}`);
      first ??= failure;
    }
  }
  return first;
}

async function prepare({ options, stateDir, reporter, steps, processes, cleanups }: Run): Promise<Prepared> {
  cleanups.push(await steps.take('state directory', () => takeStateDir(stateDir)));
  reporter.heading('Preparing');
  const say = (text: string): void => {
    reporter.line(text);
  };
  const needed = options.database === undefined ? SAMPLE_MAJOR : undefined;
  const clients = await steps.take(
    'PostgreSQL clients',
    () => provideClients(needed, processes, say),
    (found) => found.map(({ version, folder }) => `${version} in ${folder}`).join(', '),
  );
  const cdkOut = join(stateDir, 'cdk.out');
  say('cdk synth, which takes some seconds');
  const synth = steps.take(
    'cdk synth',
    () => synthesize(cdkOut, processes),
    () => cdkOut,
  );
  const [database, synthesized] = await Promise.allSettled([options.database ?? sample(steps, cleanups), synth]);
  if (database.status === 'rejected') {
    throw database.reason;
  }
  if (synthesized.status === 'rejected') {
    throw synthesized.reason;
  }
  return { clients, database: database.value, cdkOut };
}

async function sample(steps: Steps, cleanups: Cleanups): Promise<DatabaseOption> {
  const started = await steps.take(
    'sample database',
    startSample,
    ({ serverVersion, host, port, database, orderItems }) =>
      `PostgreSQL ${serverVersion} on ${host} port ${port}, database ${database} with ${orderItems} order items`,
  );
  cleanups.push(() => started.stop());
  return started;
}

/**
 * Brings up the stack, creates a secret in it, and follows what comes of it.
 *
 * @throws {StepFailed}, or the reason of the signal; what was started is in the cleanups of the run
 */
export async function dumpOnce(run: Run, { clients, database, cdkOut }: Prepared): Promise<Summary & Told> {
  const { stateDir, reporter, steps, cleanups } = run;
  const watch = new Watch(reporter);
  const report = (happening: Happening): void => {
    watch.happened(happening);
  };
  const world = await steps.take('stack', () =>
    startWorld({ cdkOut, directory: stateDir, clients: folders(clients), report }),
  );
  cleanups.push(() => world.stop());
  const [bucket] = world.buckets;
  if (bucket === undefined) {
    throw new StepFailed('stack', 'The template has no bucket for dumps.');
  }
  reporter.done('stack', `it is up, with the bucket ${bucket}`);

  reporter.heading('After a deployment');
  world.deployed();
  await steps.take('deployment', () => steps.orAborted(world.settled()));

  reporter.heading('The way of a dump');
  const secretName = `local-${utc(new Date()).replace(/[-:]/g, '')}`;
  reporter.line(`Creating the secret ${secretName}, tagged with the schedule ${run.options.schedule}`);
  const secretArn = await steps.take('secret', () => createSecret(world, run.options, secretName, database, bucket));
  const execution = await steps.take('schedule', () => steps.orAborted(scheduled(world, watch)));
  await steps.take('dump', () => steps.orAborted(endedWell(execution, watch)));
  const { scheduledFor, dump, ...told } = await steps.take('proof', () => findDump(world, bucket, secretName, clients));
  const next = world.executions.find(({ wait }) => wait !== undefined)?.wait?.until;
  return {
    status: 'succeeded',
    execution: execution.arn,
    secretArn,
    scheduledFor,
    next: next === undefined ? null : utc(next),
    dump,
    permissions: world.iam.permissions,
    ...told,
  };
}

function folders(clients: readonly Clients[]): readonly string[] {
  return clients.map(({ folder }) => folder);
}

/** Creates the secret as its user would, with the tags. @returns the ARN */
async function createSecret(
  world: World,
  { schedule, timezone }: Options,
  name: string,
  { user, password, database, host, port, sslmode }: DatabaseOption,
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
  const tags = {
    'autodump:start-schedule': schedule,
    ...(timezone === undefined ? {} : { 'autodump:timezone': timezone }),
  };
  const { ARN = '' } = await world.secretsManager.send(
    new CreateSecretCommand({
      Name: name,
      SecretString: JSON.stringify(value),
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  return ARN;
}

/** Waits until the event of the secret has been dealt with. @returns the execution that came of it */
async function scheduled(world: World, watch: Watch): Promise<Execution> {
  await world.settled();
  const [execution] = world.executions;
  if (execution !== undefined) {
    return execution;
  }
  const [letter] = world.deadLetters;
  const answer = `The event of the secret led to no execution. What took it answered: ${watch.answer}`;
  throw new Error(letter?.responsePayload.errorMessage ?? answer);
}

/** @throws {Error} with the job's own last words, or else the cause that the execution gives */
async function endedWell(execution: Execution, watch: Watch): Promise<void> {
  const end = await execution.ended;
  if (end.status === 'FAILED') {
    throw new Error(watch.complaints || `${end.error}: ${end.cause}`);
  }
  if (end.status === 'ABORTED') {
    throw new Error('The execution was aborted.');
  }
}

/** Tells what happens, skips the first wait, and remembers what a failed job said. */
class Watch {
  readonly #reporter: Reporter;
  #skipped = false;
  #lastError: string | undefined;
  /** Last line of standard error of each attempt at the job that failed. */
  readonly #lastErrors: string[] = [];
  /** What the last function returned, as JSON. */
  answer = 'nothing';

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  happened(happening: Happening): void {
    this.#reporter.happened(happening);
    if (happening.kind === 'waiting' && !this.#skipped) {
      this.#skipped = true;
      this.#reporter.line('This wait is skipped over: the run goes on as if the time had come');
      happening.execution.wait?.finish();
    }
    if (happening.kind === 'function ended' && happening.result.kind === 'returned') {
      this.answer = JSON.stringify(happening.result.payload);
    }
    if (happening.kind === 'job said' && happening.stream === 'stderr') {
      this.#lastError = happening.line;
    }
    if (happening.kind === 'job ended') {
      if (happening.exitCode !== 0 && this.#lastError !== undefined) {
        this.#lastErrors.push(this.#lastError);
      }
      this.#lastError = undefined;
    }
  }

  /** What the job said as it failed: the last attempt first, which decides, and then what differs in earlier ones. */
  get complaints(): string {
    const [last, ...earlier] = new Set(this.#lastErrors.toReversed());
    return [last, ...earlier.map((complaint) => `An earlier attempt: ${complaint}`)].join('\n');
  }
}
