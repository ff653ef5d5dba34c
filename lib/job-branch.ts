import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DUMP_JOB_PREFIX, type DumpResult } from '../contract.ts';
import { branchFailed, format, readFailure, RUN_FIELDS, valueAt, withDefaults } from './branch-result.ts';
import type { DumpJob } from './dump-job.ts';
import { retrySubmission, submitJob } from './submit-job.ts';

/** How long a job may wait for capacity, or for other dumps to finish, over all of its attempts. */
const MAX_WAIT_FOR_CAPACITY = Duration.hours(6);

/** The branch of a run that makes the dump. It always succeeds, and reports how the job ended. */
export function dumpBranch(scope: Construct, job: DumpJob): sfn.IChainable {
  const result: DumpResult = { failed: false, message: 'The dump ended well.' };
  const dump = new sfn.CustomState(scope, 'Dump', {
    stateJson: {
      ...submitJob(job, { queue: job.queue, namePrefix: DUMP_JOB_PREFIX }),
      ResultSelector: result,
      // Batch's timeout covers only attempts: without this a job that finds no capacity would wait forever.
      TimeoutSeconds: job.maxRunTime.plus(MAX_WAIT_FOR_CAPACITY).toSeconds(),
    },
  });
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

  retrySubmission(dump);
  dump.addCatch(readDumpFailure.next(didJobFail), { resultPath: '$.failure' });
  // The cause of a failed job is its description as JSON; that of any other error is a sentence or empty.
  didJobFail
    .when(sfn.Condition.stringMatches('$.failure.Cause', '{*"JobId":*}'), readJob.next(readContainer).next(jobFailed))
    .otherwise(noJobEnded);
  return dump;
}
