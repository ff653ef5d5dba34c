import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DUMP_JOB_PREFIX, type DumpResult, type Purpose } from '../../contract.ts';
import { branchFailed, format, readFailure, RUN_FIELDS, valueAt, withDefaults } from './branch-result.ts';
import { retrySubmission, type RunJob, submitJob } from './submit-job.ts';

/** How long a job may wait for capacity, or for others to finish, over all of its attempts. */
const MAX_WAIT_FOR_CAPACITY = Duration.hours(6);

/** The job of an execution has the execution's name, after this. */
const NAME_PREFIX: Readonly<Record<Purpose, string>> = { dump: DUMP_JOB_PREFIX, drill: 'drill-' };

const NAME: Readonly<Record<Purpose, string>> = { dump: 'Dump', drill: 'Drill' };

/** The branch of a run that makes the dump, or runs the drill. It always succeeds, and reports how the job ended. */
export function jobBranch(scope: Construct, purpose: Purpose, job: RunJob): sfn.IChainable {
  const result: DumpResult = { failed: false, message: `The ${purpose} ended well.` };
  const run = new sfn.CustomState(scope, NAME[purpose], {
    stateJson: {
      ...submitJob(job, { namePrefix: NAME_PREFIX[purpose] }),
      ResultSelector: result,
      // Batch's timeout covers only attempts: without this a job that finds no capacity would wait forever.
      TimeoutSeconds: job.maxRunTime.plus(MAX_WAIT_FOR_CAPACITY).toSeconds(),
    },
  });
  const readJobFailure = readFailure(scope, `Read ${purpose} failure`);
  const didJobFail = new sfn.Choice(scope, `Did a ${purpose} job fail?`);
  const readJob = new sfn.Pass(scope, `Read ${purpose} job`, {
    parameters: { ...RUN_FIELDS, job: sfn.JsonPath.stringToJson(sfn.JsonPath.stringAt('$.failure.Cause')) },
  });
  const readContainer = new sfn.Pass(scope, `Read ${purpose} container`, {
    parameters: {
      ...RUN_FIELDS,
      job: withDefaults(valueAt('$.job')),
      container: withDefaults(valueAt('$.job.Container')),
    },
  });
  const jobFailed = branchFailed(
    scope,
    `${NAME[purpose]} failed`,
    `The ${purpose} of {} at {} failed: exit status {}, {} ({}); log stream {}, job {}.`,
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
    `No ${purpose} job ended`,
    `The ${purpose} of {} at {} failed without a job that ended. {}: {}.`,
    ['$.secretArn', '$.when', '$.failure.Error', '$.failure.Cause'],
  );

  retrySubmission(run);
  run.addCatch(readJobFailure.next(didJobFail), { resultPath: '$.failure' });
  // The cause of a failed job is its description as JSON; that of any other error is a sentence or empty.
  didJobFail
    .when(sfn.Condition.stringMatches('$.failure.Cause', '{*"JobId":*}'), readJob.next(readContainer).next(jobFailed))
    .otherwise(noJobEnded);
  return run;
}
