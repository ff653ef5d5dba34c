import type { JobDetail, JobSummary } from '@aws-sdk/client-batch';
import { type Job, logStream } from './job.ts';
import type { Attempt } from './retry-strategy.ts';

/** A submitted job and what has become of it. Fields that are not `readonly` change while it runs. */
export interface SubmittedJob {
  readonly job: Job;
  readonly createdAt: Date;
  /** The attempts that have ended. */
  readonly attempts: Attempt[];
  stoppedAt?: Date;
}

/** In the format of ListJobs: https://docs.aws.amazon.com/batch/latest/APIReference/API_JobSummary.html */
export function summaryOf(submitted: SubmittedJob): JobSummary {
  const { id: jobId, name: jobName } = submitted.job;
  return { jobId, jobName, createdAt: submitted.createdAt.getTime(), status: statusOf(submitted) };
}

/** In the format of DescribeJobs: https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html */
export function detailOf(submitted: SubmittedJob): JobDetail {
  const { job, createdAt, attempts, stoppedAt } = submitted;
  const { name, queue, definition } = job;
  const { LogConfiguration, Image: image } = definition.ContainerProperties;
  const container = ({ exitCode, reason }: Partial<Attempt> = {}) => ({
    logStreamName: logStream(job),
    exitCode,
    reason,
  });
  const last = attempts.at(-1);
  return {
    jobId: job.id,
    jobName: name,
    jobQueue: queue,
    jobDefinition: job.definitionArn,
    createdAt: createdAt.getTime(),
    startedAt: createdAt.getTime(),
    stoppedAt: stoppedAt?.getTime(),
    status: statusOf(submitted),
    statusReason: last?.statusReason,
    attempts: attempts.map((attempt) => ({ container: container(attempt), statusReason: attempt.statusReason })),
    container: {
      ...container(last),
      image,
      logConfiguration: { logDriver: 'awslogs', options: LogConfiguration.Options },
    },
  };
}

/** Jobs start at once. */
function statusOf({ attempts, stoppedAt }: SubmittedJob): 'RUNNING' | 'SUCCEEDED' | 'FAILED' {
  if (stoppedAt === undefined) {
    return 'RUNNING';
  }
  return attempts.at(-1)?.exitCode === 0 ? 'SUCCEEDED' : 'FAILED';
}
