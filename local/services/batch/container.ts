import { createWriteStream, readFileSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { Template } from '../../assembly/template.ts';
import { compileCache } from '../../host/environment.ts';
import { endOutput } from '../../host/output.ts';
import type { ProcessEnd, Processes } from '../../host/processes.ts';
import type { Iam } from '../iam/iam.ts';
import { jobArn } from '../permissions/service-calls.ts';
import { type StartedTask, startTask } from '../permissions/task-start.ts';
import { awsEnvironment, type Endpoints } from '../protocol/credentials.ts';
import type { Trace } from '../trace.ts';
import { type Job, logStream, volumesOf } from './job.ts';
import type { Attempt } from './retry-strategy.ts';

/** Batch terminates a container with SIGTERM, and kills it 30 seconds later. */
const GRACE_SECONDS = 30;

export interface ContainerDependencies {
  readonly processes: Processes;
  readonly endpoints: Endpoints;
  readonly iam: Iam;
  /** PATH of the jobs, with the programs that the image contains. */
  readonly searchPath: string;
  /** Folder for the volumes of jobs. */
  readonly volumes: string;
  readonly logs: string;
  readonly trace: Trace;
}

/** The container of a job: a process in the build context of the image. */
export class Container {
  readonly #template: Template;
  readonly #dependencies: ContainerDependencies;
  readonly #job: Job;

  constructor(template: Template, dependencies: ContainerDependencies, job: Job) {
    this.#template = template;
    this.#dependencies = dependencies;
    this.#job = job;
  }

  /** Runs the container once, to its end. As on Fargate, its volumes end with it, even if it was killed. */
  async run(attempt: number): Promise<Attempt> {
    const volumes = join(volumesOf(this.#job, this.#dependencies.volumes), `${attempt}`);
    try {
      return await this.#run(attempt, volumes);
    } finally {
      await rm(volumes, { recursive: true, force: true });
    }
  }

  async #run(attempt: number, volumes: string): Promise<Attempt> {
    const { iam, processes } = this.#dependencies;
    const { definition, id, overrides } = this.#job;
    const { ContainerProperties, Timeout } = definition;
    const task = await startTask(iam, id, logStream(this.#job), ContainerProperties);
    if (!task.started) {
      return { ...task, timedOut: false };
    }
    const image = this.#template.imageAsset(ContainerProperties.Image);
    const [program = '', ...args] = entrypointOf(readFileSync(join(image, 'Dockerfile'), 'utf8'));
    const command = overrides.Command ?? ContainerProperties.Command;
    const env = await this.#environment(attempt, volumes, task);
    // Before the process starts: Node.js discards what nobody reads of a process that has ended.
    const log = await this.#openLog(task);
    if (processes.stopped) {
      await endOutput(log);
      return { statusReason: 'Task failed to start', reason: 'The local run is stopping.', timedOut: false };
    }
    const { child, ended, terminate } = processes.start(program, [...args, ...command], {
      cwd: image,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeoutSeconds: Timeout?.AttemptDurationSeconds,
      graceSeconds: GRACE_SECONDS,
    });
    this.#relay(child.stdout, 'stdout', log);
    this.#relay(child.stderr, 'stderr', log);
    const end = await this.#terminatedWhenStopped(ended, terminate);
    await endOutput(log);
    return attemptOf(end);
  }

  /** Waits for the end of the process, and terminates it if the caller is stopped and may terminate jobs. */
  async #terminatedWhenStopped(ended: Promise<ProcessEnd>, terminate: () => void): Promise<ProcessEnd> {
    const { principal, stopped } = this.#job.caller;
    const onStop = async (): Promise<void> => {
      const call = { principal, action: 'batch:TerminateJob', resource: jobArn(this.#job.id) };
      if (await this.#dependencies.iam.allows(call)) {
        terminate();
      }
    };
    const listener = (): void => void onStop();
    stopped.addEventListener('abort', listener, { once: true });
    if (stopped.aborted) {
      listener();
    }
    const end = await ended;
    stopped.removeEventListener('abort', listener);
    return end;
  }

  /** The container's environment, with the paths of its volumes replaced by folders of this machine. */
  async #environment(attempt: number, folder: string, { session }: StartedTask): Promise<Record<string, string>> {
    const { endpoints, searchPath } = this.#dependencies;
    const { definition, id, overrides } = this.#job;
    const { Environment, MountPoints } = definition.ContainerProperties;
    const volumes = MountPoints.map(({ ContainerPath, SourceVolume }) => ({
      container: ContainerPath,
      local: join(folder, SourceVolume),
    }));
    for (const { local } of volumes) {
      await mkdir(local, { recursive: true });
      // What a job starts as another user must be able to enter its own folder below.
      for (const path of [dirname(folder), folder, local]) {
        await chmod(path, 0o711);
      }
    }
    const variables = [...Environment, ...overrides.Environment].map(({ Name, Value }) => {
      const volume = volumes.find(({ container }) => Value === container || Value.startsWith(`${container}/`));
      return [Name, volume === undefined ? Value : volume.local + Value.slice(volume.container.length)] as const;
    });
    return {
      PATH: searchPath,
      ...compileCache(),
      ...awsEnvironment(session, endpoints),
      AWS_BATCH_JOB_ID: id,
      AWS_BATCH_JOB_ATTEMPT: `${attempt}`,
      ...Object.fromEntries(variables),
    };
  }

  async #openLog({ logged }: StartedTask): Promise<Writable> {
    if (!logged) {
      return createWriteStream(devNull);
    }
    const file = join(this.#dependencies.logs, `${logStream(this.#job)}.log`);
    await mkdir(dirname(file), { recursive: true });
    return createWriteStream(file, { flags: 'a' });
  }

  #relay(output: Readable | null, stream: 'stdout' | 'stderr', log: Writable): void {
    if (output === null) {
      return;
    }
    createInterface({ input: output }).on('line', (line) => {
      log.write(`${new Date().toISOString()} ${line}\n`);
      this.#dependencies.trace({ kind: 'job output', line, stream });
    });
  }
}

function attemptOf(end: ProcessEnd): Attempt {
  switch (end.kind) {
    case 'not started':
      return {
        statusReason: 'Task failed to start',
        reason: `CannotStartContainerError: ${end.error.message}`,
        timedOut: false,
      };
    case 'timed out':
      return { exitCode: end.status, statusReason: 'Job attempt duration exceeded timeout', timedOut: true };
    case 'exit':
      return { exitCode: end.status, statusReason: 'Essential container in task exited', timedOut: false };
  }
}

/** @throws {Error} if the Dockerfile has no ENTRYPOINT in JSON form */
export function entrypointOf(dockerfile: string): readonly string[] {
  const last = [...dockerfile.matchAll(/^ENTRYPOINT\s+(\[.*\])\s*$/gim)].at(-1)?.[1];
  if (last === undefined) {
    throw new Error('The Dockerfile of the job has no ENTRYPOINT ["program", "argument"].');
  }
  return z.array(z.string()).min(1).parse(JSON.parse(last));
}
