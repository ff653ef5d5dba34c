import { Aws, Duration } from 'aws-cdk-lib';
import type * as batch from 'aws-cdk-lib/aws-batch';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { DumpEnvironment } from '../contract.ts';
import type { DumpJob } from './dump-job.ts';
import { THROTTLING_RETRY } from './throttling-retry.ts';

/**
 * Covers errors of the call that submits the job, not of the job itself, which Batch has already retried. Worst case:
 * eight attempts, at most 5 + 10 + 20 + 40 + 60 + 60 + 60 s apart, so a little over four minutes. A job that is
 * submitted twice makes one dump, since a dump's key can be written only once.
 */
const SUBMIT_RETRY: sfn.RetryProps = {
  errors: ['Batch.AWSBatchException', 'Batch.BatchException', 'Batch.SdkClientException', 'Batch.ServerException'],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 7,
  jitterStrategy: sfn.JitterType.FULL,
};

/** What each execution adds to the environment of its job. */
const PER_EXECUTION: Omit<DumpEnvironment, 'AUTODUMP_BUCKETS' | 'AUTODUMP_RESTORE_JOB' | 'TMPDIR'> = {
  AUTODUMP_SECRET_ARN: '$.secretArn',
  AUTODUMP_WHEN: '$.when',
  AUTODUMP_EXECUTION: '$$.Execution.Id',
};

export interface Submission {
  readonly queue: batch.IJobQueue;
  /** The job has the name of the execution, after this. */
  readonly namePrefix: string;
  /** @default - that of the job definition */
  readonly command?: readonly string[];
  /** How long one attempt may run before it is stopped. @default - that of the job definition */
  readonly attemptTimeout?: Duration;
}

/** The fields of a state that submits the dump job for the execution's secret and time, and waits for it to end. */
export function submitJob(job: DumpJob, { queue, namePrefix, command, attemptTimeout }: Submission): object {
  return {
    Type: 'Task',
    Resource: `arn:${Aws.PARTITION}:states:::batch:submitJob.sync`,
    Parameters: {
      // Names of jobs must start with a letter or a digit; names of secrets, and so of executions, need not.
      'JobName.$': `States.Format('${namePrefix}{}', $$.Execution.Name)`,
      JobDefinition: job.definitionName,
      JobQueue: queue.jobQueueArn,
      ContainerOverrides: {
        ...(command === undefined ? {} : { Command: command }),
        Environment: Object.entries(PER_EXECUTION).map(([Name, path]) => ({ Name, 'Value.$': path })),
      },
      ...(attemptTimeout === undefined ? {} : { Timeout: { AttemptDurationSeconds: attemptTimeout.toSeconds() } }),
    },
  };
}

/** Retries the call that submits the job. */
export function retrySubmission(state: sfn.CustomState): void {
  state.addRetry(THROTTLING_RETRY);
  state.addRetry(SUBMIT_RETRY);
}
