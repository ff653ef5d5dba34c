import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type {
  DescribeJobsRequest,
  DescribeJobsResponse,
  ListJobsRequest,
  ListJobsResponse,
} from '@aws-sdk/client-batch';
import { z } from 'zod';
import type { Template } from '../../assembly/template.ts';
import { submitCalls } from '../permissions/service-calls.ts';
import { authorizeTask, type Caller, TaskError } from '../task.ts';
import { Container, type ContainerDependencies } from './container.ts';
import { environmentSchema, type JobDefinition, jobDefinitionSchema } from './job-definition.ts';
import { type Job, logStream, volumesOf } from './job.ts';
import { type Attempt, isRetried } from './retry-strategy.ts';
import { detailOf, type SubmittedJob, summaryOf } from './submitted-job.ts';

/** https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html */
const JOB_NAME = /^[A-Za-z0-9][\w-]{0,127}$/;

const submitSchema = z.object({
  JobName: z.string(),
  JobDefinition: z.string(),
  JobQueue: z.string(),
  ContainerOverrides: z
    .object({ Command: z.array(z.string()).optional(), Environment: environmentSchema.default([]) })
    .default({ Environment: [] }),
  Timeout: z.object({ AttemptDurationSeconds: z.number() }).optional(),
});

/** Batch: runs a job as a process, in the build context of its image. */
export class Batch {
  readonly #template: Template;
  readonly #dependencies: ContainerDependencies;
  readonly #running = new Set<Promise<void>>();
  /** The newest last. */
  readonly #submitted: SubmittedJob[] = [];

  constructor(template: Template, dependencies: ContainerDependencies) {
    this.#template = template;
    this.#dependencies = dependencies;
  }

  /**
   * The task `batch:submitJob.sync`: submits a job and waits for it to end.
   *
   * @param caller who submits the job; if it is stopped, and is allowed to terminate the job, the job is terminated
   * @returns the job's detail, in the format of Step Functions
   * @throws {TaskError} `States.TaskFailed` with the detail as the cause, or `Batch.BatchException` if Batch rejects
   * the job
   */
  async submitJob(parameters: unknown, caller: Caller): Promise<object> {
    const { JobName, JobDefinition, JobQueue, ContainerOverrides, Timeout } = submitSchema.parse(parameters);
    if (!JOB_NAME.test(JobName)) {
      throw new TaskError('Batch.BatchException', `Job name should match valid pattern: ${JobName}`);
    }
    const id = randomUUID();
    const { arn, definition: defined } = this.#definition(JobDefinition);
    const definition = { ...defined, ...(Timeout === undefined ? {} : { Timeout }) };
    const queue = this.#queue(JobQueue);
    const { principal } = caller;
    for (const call of submitCalls(queue, arn, id)) {
      await authorizeTask(this.#dependencies.iam, 'Batch.BatchException', { ...call, principal });
    }
    const overrides = ContainerOverrides;
    const job: Job = { id, name: JobName, queue, definition, definitionArn: arn, overrides, caller };
    const submitted: SubmittedJob = { job, createdAt: new Date(), attempts: [] };
    this.#submitted.push(submitted);
    const running = this.#run(submitted);
    this.#running.add(running);
    await running.finally(() => this.#running.delete(running));
    const result = taskResultOf(submitted);
    if (submitted.attempts.at(-1)?.exitCode === 0) {
      return result;
    }
    throw new TaskError('States.TaskFailed', JSON.stringify(result));
  }

  /** Lists the jobs of a name in all states: https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html */
  listJobs({ jobQueue, filters = [] }: ListJobsRequest): Omit<ListJobsResponse, '$metadata'> {
    const queue = this.#queue(jobQueue ?? '');
    const names = filters.flatMap(({ values = [] }) => values);
    const listed = this.#submitted.filter(({ job }) => job.queue === queue && names.includes(job.name));
    return { jobSummaryList: listed.reverse().map(summaryOf) };
  }

  /** https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobs.html */
  describeJobs({ jobs = [] }: DescribeJobsRequest): Omit<DescribeJobsResponse, '$metadata'> {
    return { jobs: this.#submitted.filter(({ job }) => jobs.includes(job.id)).map(detailOf) };
  }

  /** Resolves when no job is running. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #run(submitted: SubmittedJob): Promise<void> {
    const { job, attempts } = submitted;
    const { processes, volumes, trace } = this.#dependencies;
    const container = new Container(this.#template, this.#dependencies, job);
    try {
      for (;;) {
        const number = attempts.length + 1;
        trace({ kind: 'job started', name: job.name, attempt: number });
        const attempt = await container.run(number);
        attempts.push(attempt);
        const isStopping = job.caller.stopped.aborted || processes.stopped;
        const retried = !isStopping && isRetried(job.definition.RetryStrategy, attempt, number);
        trace({ kind: 'job ended', name: job.name, exitCode: attempt.exitCode ?? -1, retried });
        if (!retried) {
          return;
        }
      }
    } finally {
      submitted.stoppedAt = new Date();
      await rm(volumesOf(job, volumes), { recursive: true, force: true });
    }
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

/** https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html, with the field names of Step Functions. */
function taskResultOf({ job, attempts }: SubmittedJob): object {
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
