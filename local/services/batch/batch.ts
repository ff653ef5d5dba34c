import { randomUUID } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Template } from '../../assembly/template.ts';
import type { Processes } from '../../host/processes.ts';
import type { Iam } from '../iam/iam.ts';
import { jobArn, submitCalls } from '../permissions/service-calls.ts';
import { type StartedTask, startTask } from '../permissions/task-start.ts';
import { awsEnvironment, type Endpoints } from '../protocol/credentials.ts';
import { type Caller, permitted, TaskError } from '../task.ts';
import type { Report } from '../trace.ts';
import { environmentSchema, type JobDefinition, jobDefinitionSchema } from './job-definition.ts';
import { type Attempt, triesAgain } from './retry-strategy.ts';

/** https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html */
const JOB_NAME = /^[A-Za-z0-9][\w-]{0,127}$/;

/** Batch ends a container by SIGTERM, and half a minute later by SIGKILL. */
const GRACE_SECONDS = 30;

const submitSchema = z.object({
  JobName: z.string(),
  JobDefinition: z.string(),
  JobQueue: z.string(),
  ContainerOverrides: z
    .object({ Command: z.array(z.string()).optional(), Environment: environmentSchema.default([]) })
    .default({ Environment: [] }),
});

export interface BatchSurroundings {
  readonly processes: Processes;
  readonly endpoints: Endpoints;
  readonly iam: Iam;
  /** PATH of the jobs: what the image would bring along. */
  readonly searchPath: string;
  /** Folder for the volumes of jobs. */
  readonly scratch: string;
  readonly logs: string;
  readonly report: Report;
}

interface Job {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly definition: JobDefinition;
  readonly overrides: z.infer<typeof submitSchema>['ContainerOverrides'];
  readonly caller: Caller;
}

/** Batch: runs a job as a process, from the build context of its image. */
export class Batch {
  readonly #template: Template;
  readonly #surroundings: BatchSurroundings;
  /** What is under way. */
  readonly #jobs = new Set<Promise<readonly Attempt[]>>();

  constructor(template: Template, surroundings: BatchSurroundings) {
    this.#template = template;
    this.#surroundings = surroundings;
  }

  /**
   * The task `batch:submitJob.sync`: ends when the job has.
   *
   * @returns the job's detail in the form of Step Functions
   * @param caller who submits it; when it stops, the job is ended, if it may do that
   * @throws {TaskError} `States.TaskFailed` with the detail as the cause, or `Batch.BatchException` for what Batch refuses
   */
  async submitJob(parameters: unknown, caller: Caller): Promise<object> {
    const { JobName, JobDefinition, JobQueue, ContainerOverrides } = submitSchema.parse(parameters);
    if (!JOB_NAME.test(JobName)) {
      throw new TaskError('Batch.BatchException', `Job name should match valid pattern: ${JobName}`);
    }
    const id = randomUUID();
    const { arn, definition } = this.#definition(JobDefinition);
    const queue = this.#queue(JobQueue);
    for (const call of submitCalls(queue, arn, id)) {
      await permitted(this.#surroundings.iam, 'Batch.BatchException', {
        ...call,
        principal: caller.principal,
      });
    }
    const job: Job = { id, name: JobName, queue, definition, overrides: ContainerOverrides, caller };
    const running = this.#attempts(job);
    this.#jobs.add(running);
    const attempts = await running.finally(() => this.#jobs.delete(running));
    const last = attempts.at(-1);
    const detail = detailOf(job, attempts);
    if (last?.exitCode === 0) {
      return detail;
    }
    throw new TaskError('States.TaskFailed', JSON.stringify(detail));
  }

  /** Comes when no job is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#jobs);
  }

  async #attempts(job: Job): Promise<readonly Attempt[]> {
    const { report, scratch } = this.#surroundings;
    const ended: Attempt[] = [];
    try {
      for (;;) {
        report({ kind: 'job started', name: job.name, attempt: ended.length + 1 });
        const attempt = await this.#attempt(job, ended.length + 1);
        ended.push(attempt);
        const isEnding = job.caller.stopped.aborted || this.#surroundings.processes.stopped;
        const tryAgain = !isEnding && triesAgain(job.definition.RetryStrategy, attempt, ended.length);
        report({ kind: 'job ended', name: job.name, exitCode: attempt.exitCode ?? -1, tryAgain });
        if (!tryAgain) {
          return ended;
        }
      }
    } finally {
      await rm(join(scratch, job.id), { recursive: true, force: true });
    }
  }

  async #attempt(job: Job, number: number): Promise<Attempt> {
    const { iam, processes } = this.#surroundings;
    const { ContainerProperties, Timeout } = job.definition;
    const task = await startTask(iam, job.id, logStream(job), ContainerProperties);
    if (!task.started) {
      return { ...task, timedOut: false };
    }
    const image = this.#template.imageAsset(ContainerProperties.Image);
    const [program = '', ...args] = entrypointOf(readFileSync(join(image, 'Dockerfile'), 'utf8'));
    const command = job.overrides.Command ?? ContainerProperties.Command;
    const env = await this.#environment(job, number, task);
    if (processes.stopped) {
      return { statusReason: 'Task failed to start', reason: 'The local run is ending.', timedOut: false };
    }
    const { child, ended, end } = processes.start(program, [...args, ...command], {
      cwd: image,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeoutSeconds: Timeout?.AttemptDurationSeconds,
      graceSeconds: GRACE_SECONDS,
    });
    const log = await this.#log(job, task);
    this.#relay(child.stdout, 'stdout', log);
    this.#relay(child.stderr, 'stderr', log);
    const { stopped } = job.caller;
    const terminate = (): void => void this.#terminate(job, end);
    stopped.addEventListener('abort', terminate, { once: true });
    if (stopped.aborted) {
      terminate();
    }
    const how = await ended;
    stopped.removeEventListener('abort', terminate);
    log.end();
    if (how.kind === 'not started') {
      const reason = `CannotStartContainerError: ${how.error.message}`;
      return { statusReason: 'Task failed to start', reason, timedOut: false };
    }
    const timedOut = how.kind === 'timed out';
    const statusReason = timedOut ? 'Job attempt duration exceeded timeout' : 'Essential container in task exited';
    return { exitCode: how.status, statusReason, timedOut };
  }

  /** Ends a job whose execution was stopped, if the machine may do that. */
  async #terminate({ id, caller }: Job, end: () => void): Promise<void> {
    const call = { principal: caller.principal, action: 'batch:TerminateJob', resource: jobArn(id) };
    if (await this.#surroundings.iam.allows(call)) {
      end();
    }
  }

  /** The environment of the container, with the paths of its volumes turned into folders of this machine. */
  async #environment(job: Job, attempt: number, { session }: StartedTask): Promise<Record<string, string>> {
    const { endpoints, scratch, searchPath } = this.#surroundings;
    const { Environment, MountPoints } = job.definition.ContainerProperties;
    const volumes = MountPoints.map(({ ContainerPath, SourceVolume }) => ({
      container: ContainerPath,
      local: join(scratch, job.id, `${attempt}`, SourceVolume),
    }));
    for (const { local } of volumes) {
      await mkdir(local, { recursive: true });
    }
    const given = [...Environment, ...job.overrides.Environment].map(({ Name, Value }) => {
      const volume = volumes.find(({ container }) => Value === container || Value.startsWith(`${container}/`));
      return [Name, volume === undefined ? Value : volume.local + Value.slice(volume.container.length)] as const;
    });
    return {
      PATH: searchPath,
      ...awsEnvironment(session, endpoints),
      AWS_BATCH_JOB_ID: job.id,
      AWS_BATCH_JOB_ATTEMPT: `${attempt}`,
      ...Object.fromEntries(given),
    };
  }

  async #log(job: Job, { logged }: StartedTask): Promise<NodeJS.WritableStream> {
    if (!logged) {
      return createWriteStream(devNull);
    }
    const file = join(this.#surroundings.logs, `${logStream(job)}.log`);
    await mkdir(dirname(file), { recursive: true });
    return createWriteStream(file, { flags: 'a' });
  }

  #relay(output: Readable | null, stream: 'stdout' | 'stderr', log: NodeJS.WritableStream): void {
    if (output === null) {
      return;
    }
    createInterface({ input: output }).on('line', (line) => {
      log.write(`${new Date().toISOString()} ${line}\n`);
      this.#surroundings.report({ kind: 'job said', line, stream });
    });
  }

  #definition(id: string): { readonly arn: string; readonly definition: JobDefinition } {
    const found = this.#template.ofType('AWS::Batch::JobDefinition').find((resource) => {
      const arn = this.#template.arnOf(resource);
      const name = this.#template.nameOf(resource);
      return [arn, arn.replace(/:\d+$/, ''), name, `${name}:1`].includes(id);
    });
    if (found === undefined) {
      throw new TaskError('Batch.BatchException', `JobDefinition does not exist: ${id}`);
    }
    return { arn: this.#template.arnOf(found), definition: this.#template.properties(found, jobDefinitionSchema) };
  }

  #queue(id: string): string {
    const queues = this.#template.ofType('AWS::Batch::JobQueue').map((resource) => this.#template.arnOf(resource));
    const found = queues.find((arn) => arn === id || arn.endsWith(`/${id}`));
    if (found === undefined) {
      throw new TaskError('Batch.BatchException', `JobQueue does not exist: ${id}`);
    }
    return found;
  }
}

/** @throws {Error} if the image has no ENTRYPOINT in its JSON form */
export function entrypointOf(dockerfile: string): readonly string[] {
  const last = [...dockerfile.matchAll(/^ENTRYPOINT\s+(\[.*\])\s*$/gim)].at(-1)?.[1];
  if (last === undefined) {
    throw new Error('The Dockerfile of the job has no ENTRYPOINT ["program", "argument"].');
  }
  return z.array(z.string()).min(1).parse(JSON.parse(last));
}

function logStream({ id, definition }: Job): string {
  return `${definition.ContainerProperties.LogConfiguration.Options['awslogs-stream-prefix']}/default/${id}`;
}

/** https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html, names as Step Functions writes them. */
function detailOf(job: Job, attempts: readonly Attempt[]): object {
  const container = ({ exitCode, reason }: Attempt): object => ({
    ...(exitCode === undefined ? {} : { ExitCode: exitCode }),
    LogStreamName: logStream(job),
    ...(reason === undefined ? {} : { Reason: reason }),
  });
  const last = attempts.at(-1);
  return {
    Attempts: attempts.map((attempt) => ({ Container: container(attempt), StatusReason: attempt.statusReason })),
    Container: last === undefined ? {} : container(last),
    JobId: job.id,
    JobName: job.name,
    JobQueue: job.queue,
    Status: last?.exitCode === 0 ? 'SUCCEEDED' : 'FAILED',
    StatusReason: last?.statusReason ?? '',
  };
}
