import { Aws, Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DUMP_JOB_PREFIX, type DumpEnvironment, type DumpResult } from '../contract.ts';
import { branchFailed, format, readFailure, RUN_FIELDS, valueAt, withDefaults } from './branch-result.ts';
import type { DumpJob } from './dump-job.ts';
import { THROTTLING_RETRY } from './throttling-retry.ts';

/**
 * Covers errors of the call that submits the job, not of the job itself, which Batch has already retried. Worst case:
 * eight attempts, at most 5 + 10 + 20 + 40 + 60 + 60 + 60 s apart, so a little over four minutes. A job that is submitted
 * twice makes one dump, since a dump's key can be written only once.
 */
const SUBMIT_RETRY: sfn.RetryProps = {
  errors: ['Batch.AWSBatchException', 'Batch.BatchException', 'Batch.SdkClientException', 'Batch.ServerException'],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 7,
  jitterStrategy: sfn.JitterType.FULL,
};

/** How long a job may wait for capacity, or for other dumps to finish, over all of its attempts. */
const MAX_WAIT_FOR_CAPACITY = Duration.hours(6);

/** The branch of a run that makes the dump. It always succeeds, and reports how the job ended. */
export function dumpBranch(scope: Construct, job: DumpJob): sfn.IChainable {
  const dump = new sfn.CustomState(scope, 'Dump', { stateJson: submitJob(job) });
  const readDumpFailure = readFailure(scope, 'Read dump failure');
  const didJobFail = new sfn.Choice(scope, 'Did a job fail?');
  const readJob = new sfn.Pass(scope, 'Read job', {
    parameters: { ...RUN_FIELDS, job: sfn.JsonPath.stringToJson(sfn.JsonPath.stringAt('$.failure.Cause')) },
  });
  const readContainer = new sfn.Pass(scope, 'Read container', {
    parameters: {
      ...RUN_FIELDS,
      job: withDefaults(valueAt('$.job')),
      container: withDefaults(valueAt('$.job.Container')),
    },
  });
  const jobFailed = branchFailed(
    scope,
    'Job failed',
    'The dump of {} at {} failed: exit status {}, {} ({}); log stream {}, job {}.',
    [
      '$.secretArn',
      '$.when',
      '$.container.ExitCode',
      '$.job.StatusReason',
      '$.container.Reason',
      '$.container.LogStreamName',
      '$.job.JobId',
    ],
    undefined,
    {
      exitStatus: valueAt('$.container.ExitCode'),
      reason: format('{} ({})', ['$.job.StatusReason', '$.container.Reason']),
      attempts: sfn.JsonPath.arrayLength(valueAt('$.job.Attempts')),
      logStream: sfn.JsonPath.stringAt('$.container.LogStreamName'),
    } satisfies Record<keyof Omit<DumpResult, 'failed' | 'message'>, unknown>,
  );
  const noJobEnded = branchFailed(
    scope,
    'No job ended',
    'The dump of {} at {} failed without a job that ended. {}: {}.',
    ['$.secretArn', '$.when', '$.failure.Error', '$.failure.Cause'],
  );

  dump.addRetry(THROTTLING_RETRY);
  dump.addRetry(SUBMIT_RETRY);
  dump.addCatch(readDumpFailure.next(didJobFail), { resultPath: '$.failure' });
  // The cause of a failed job is its description as JSON; that of any other error is a sentence or empty.
  didJobFail
    .when(sfn.Condition.stringMatches('$.failure.Cause', '{*"JobId":*}'), readJob.next(readContainer).next(jobFailed))
    .otherwise(noJobEnded);
  return dump;
}

/** The state that submits the job and waits for it to end. */
function submitJob(job: DumpJob): object {
  const perRun: Omit<DumpEnvironment, 'AUTODUMP_BUCKETS' | 'AUTODUMP_RESTORE_JOB' | 'TMPDIR'> = {
    AUTODUMP_SECRET_ARN: '$.secretArn',
    AUTODUMP_WHEN: '$.when',
    AUTODUMP_EXECUTION: '$$.Execution.Id',
  };
  const result: DumpResult = { failed: false, message: 'The dump ended well.' };
  return {
    Type: 'Task',
    Resource: `arn:${Aws.PARTITION}:states:::batch:submitJob.sync`,
    Parameters: {
      // Names of jobs must start with a letter or a digit; names of secrets, and so of executions, need not.
      'JobName.$': `States.Format('${DUMP_JOB_PREFIX}{}', $$.Execution.Name)`,
      JobDefinition: job.definitionName,
      JobQueue: job.queue.jobQueueArn,
      ContainerOverrides: {
        Environment: Object.entries(perRun).map(([Name, path]) => ({ Name, 'Value.$': path })),
      },
    },
    ResultSelector: result,
    // Batch's timeout covers only attempts: without this a job that finds no capacity would wait forever.
    TimeoutSeconds: job.maxRunTime.plus(MAX_WAIT_FOR_CAPACITY).toSeconds(),
  };
}
