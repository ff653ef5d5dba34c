import { Aws, Duration, Stack } from 'aws-cdk-lib';
import type * as batch from 'aws-cdk-lib/aws-batch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { DrillEnvironment } from '../../contract.ts';
import { acknowledgeWildcards } from '../acknowledge.ts';
import { THROTTLING_RETRY } from '../throttling-retry.ts';

/**
 * Covers errors of the call that submits the job, not of the job itself, which Batch has already retried. Worst case:
 * eight attempts, at most 5 + 10 + 20 + 40 + 60 + 60 + 60 s apart, so a little over four minutes. A job that is
 * submitted twice makes one dump, or leaves one evidence, since a key can be written only once.
 */
const SUBMIT_RETRY: sfn.RetryProps = {
  errors: ['Batch.AWSBatchException', 'Batch.BatchException', 'Batch.SdkClientException', 'Batch.ServerException'],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 7,
  jitterStrategy: sfn.JitterType.FULL,
};

/** A job that executions run. */
export interface RunJob {
  readonly queue: batch.IJobQueue;
  /**
   * Resolves to the newest revision of the job definition. Waiting executions refer to it, so it must not change; they
   * refer to no revision, since a deployment deregisters the previous one.
   */
  readonly definitionName: string;
  /** Upper bound of the run time of all attempts of a job, without waiting. */
  readonly maxRunTime: Duration;
}

/** What each execution adds to the environment of its job, be it a dump or a drill. */
const PER_EXECUTION: Omit<DrillEnvironment, 'AUTODUMP_BUCKETS' | 'TMPDIR'> = {
  AUTODUMP_SECRET_ARN: '$.secretArn',
  AUTODUMP_WHEN: '$.when',
  AUTODUMP_EXECUTION: '$$.Execution.Id',
};

export interface Submission {
  /** The job has the name of the execution, after this. */
  readonly namePrefix: string;
  /** @default - that of the job definition */
  readonly command?: readonly string[];
  /** How long one attempt may run before it is stopped. @default - that of the job definition */
  readonly attemptTimeout?: Duration;
}

/** The fields of a state that submits a job for the execution's secret and time, and waits for it to end. */
export function submitJob(
  { queue, definitionName }: Omit<RunJob, 'maxRunTime'>,
  { namePrefix, command, attemptTimeout }: Submission,
): object {
  return {
    Type: 'Task',
    Resource: `arn:${Aws.PARTITION}:states:::batch:submitJob.sync`,
    Parameters: {
      // Names of jobs must start with a letter or a digit; names of secrets, and so of executions, need not.
      'JobName.$': `States.Format('${namePrefix}{}', $$.Execution.Name)`,
      JobDefinition: definitionName,
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

/**
 * Lets a state machine submit jobs and wait for them to end. Job IDs are not known in advance, and DescribeJobs has no
 * resource-level permissions. The rule is the one by which Step Functions learns that a job has ended.
 */
export function allowJobs(role: iam.IRole, ...jobs: readonly Omit<RunJob, 'maxRunTime'>[]): void {
  const stack = Stack.of(role);
  const definitions = jobs.flatMap(({ definitionName }) => {
    const arn = stack.formatArn({ service: 'batch', resource: 'job-definition', resourceName: definitionName });
    return [arn, `${arn}:*`];
  });
  const statements = [
    {
      sid: 'SubmitJobs',
      actions: ['batch:SubmitJob'],
      resources: [...jobs.map(({ queue }) => queue.jobQueueArn), ...definitions],
    },
    {
      // Step Functions tags the jobs that it waits for, which is authorized on both the definition and the job.
      sid: 'MarkJobs',
      actions: ['batch:TagResource'],
      resources: definitions,
    },
    { sid: 'WatchJobs', actions: ['batch:DescribeJobs'], resources: ['*'] },
    {
      sid: 'MarkAndStopJobs',
      actions: ['batch:TagResource', 'batch:TerminateJob'],
      resources: [stack.formatArn({ service: 'batch', resource: 'job', resourceName: '*' })],
    },
    {
      sid: 'LearnOfTheirEnd',
      actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
      resources: [
        stack.formatArn({
          service: 'events',
          resource: 'rule',
          resourceName: 'StepFunctionsGetEventsForBatchJobsRule',
        }),
      ],
    },
  ];
  for (const statement of statements) {
    role.addToPrincipalPolicy(new iam.PolicyStatement(statement));
    acknowledgeWildcards(
      role,
      statement.resources.filter((resource) => resource.endsWith('*')),
      'DescribeJobs has no resource-level permissions, and job IDs are not known in advance.',
    );
  }
}
