import { Aws, Duration, type IResolvable } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { Comparison, DumpEnvironment } from '../contract.ts';
import type { DumpJob } from './dump-job.ts';
import { allowStart } from './scheduling-functions.ts';

export interface WorkflowProps {
  readonly hash: lambda.Function;
  readonly reschedule: lambda.Function;
  readonly dumpJob: DumpJob;
}

/**
 * Worst case: seven attempts, at most 1 + 2 + 4 + 8 + 16 + 32 s apart, so that a fault of up to a minute passes
 * unnoticed and a lasting one is known in about a minute, attempts themselves not counted. Every error is tried again:
 * the functions may be called any number of times, and an error that is no accident only costs that minute.
 */
const FUNCTION_RETRY: sfn.RetryProps = {
  errors: [sfn.Errors.ALL],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 6,
  jitterStrategy: sfn.JitterType.FULL,
};

/**
 * Errors of the call that submits the job, not of the job: that one Batch has tried again already. Worst case: eight
 * attempts, at most 5 + 10 + 20 + 40 + 60 + 60 + 60 s apart, so a little over four minutes. A job submitted twice makes
 * one dump, since the key of a dump can be taken once.
 */
const SUBMIT_RETRY: sfn.RetryProps = {
  errors: [
    'Batch.AWSBatchException',
    'Batch.BatchException',
    'Batch.SdkClientException',
    'Batch.ServerException',
    'Batch.TooManyRequestsException',
  ],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 7,
  jitterStrategy: sfn.JitterType.FULL,
};

/** How long a job may wait for capacity, or for other dumps to end, over all of its attempts. */
const LONGEST_WAIT_FOR_CAPACITY = Duration.hours(6);

const EXECUTION_INPUT = {
  secretArn: sfn.JsonPath.stringAt('$.secretArn'),
  tagsHash: sfn.JsonPath.stringAt('$.tagsHash'),
  when: sfn.JsonPath.stringAt('$.when'),
};

/** What an error, a job or a container may lack, as the messages then say it: a path to nothing would be an error. */
const ABSENT = {
  Error: 'Unknown',
  Cause: 'no cause given',
  ExitCode: 'none',
  LogStreamName: 'none',
  Reason: 'no further reason',
  StatusReason: 'no reason given',
};

/** What the states that read a failure pass on. */
const FAILED_RUN = {
  secretArn: sfn.JsonPath.stringAt('$.secretArn'),
  when: sfn.JsonPath.stringAt('$.when'),
  absent: sfn.JsonPath.objectAt('$.absent'),
};

const UNCHANGED: Comparison['outcome'] = 'unchanged';

/** How a branch ended, as the states after it read it. */
interface BranchEnd {
  readonly failed: boolean;
  readonly message: string;
}

/**
 * The state machine of one run:
 *
 *     wait until `when` -> compare tags -> changed, removed, gone: superseded
 *                                       -> unchanged: reschedule | dump -> done, or failed by name of the branch
 *
 * Neither branch can stop the other: each ends well in any case, and says how it went.
 */
export class Workflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { hash, reschedule, dumpJob }: WorkflowProps) {
    super(scope, id);

    const waitUntilScheduled = new sfn.Wait(this, 'Wait until scheduled', {
      time: sfn.WaitTime.timestampPath('$.when'),
    });
    const compareTags = this.compareTags(hash);
    const isUnchanged = new sfn.Choice(this, 'Is the schedule unchanged?');
    const superseded = new sfn.Succeed(this, 'Superseded', {
      comment: 'The reason is in the output',
      outputPath: '$.comparison',
    });
    const run = new sfn.Parallel(this, 'Dump and reschedule', {
      parameters: { ...EXECUTION_INPUT, absent: ABSENT },
      resultSelector: { dump: sfn.JsonPath.objectAt('$[0]'), reschedule: sfn.JsonPath.objectAt('$[1]') },
      resultPath: '$.branches',
    });
    run.branch(this.dump(dumpJob), this.reschedule(reschedule));
    const didBothEndWell = new sfn.Choice(this, 'Did both end well?');
    const done = new sfn.Succeed(this, 'Done');
    const failed = new sfn.Fail(this, 'Failed', {
      error: 'RunFailed',
      causePath: format('{} {}', ['$.branches.dump.message', '$.branches.reschedule.message']),
    });

    const definition = waitUntilScheduled
      .next(compareTags)
      .next(isUnchanged.when(sfn.Condition.stringEquals('$.comparison.outcome', UNCHANGED), run).otherwise(superseded));
    run.next(
      didBothEndWell
        .when(
          sfn.Condition.or(
            sfn.Condition.booleanEquals('$.branches.dump.failed', true),
            sfn.Condition.booleanEquals('$.branches.reschedule.failed', true),
          ),
          failed,
        )
        .otherwise(done),
    );

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      comment: 'One scheduled dump of one database',
      definitionBody: sfn.DefinitionBody.fromChainable(definition),
    });
    dumpJob.grantRun(this.stateMachine.role);
    allowStart(this, this.stateMachine, reschedule);
  }

  private compareTags(hash: lambda.Function): sfn.IChainable & sfn.INextable {
    const task = new LambdaInvoke(this, 'Compare tags', {
      lambdaFunction: hash,
      payload: sfn.TaskInput.fromObject(EXECUTION_INPUT),
      resultSelector: {
        outcome: sfn.JsonPath.stringAt('$.Payload.outcome'),
        reason: sfn.JsonPath.stringAt('$.Payload.reason'),
      },
      resultPath: '$.comparison',
      retryOnServiceExceptions: false,
    });
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(
      new sfn.Fail(this, 'Comparison failed', {
        error: 'ComparisonFailed',
        causePath: format(
          'Whether the schedule of {} is unchanged could not be found out, so nothing was dumped at {}. {}: {}',
          ['$.secretArn', '$.when', '$.failure.Error', '$.failure.Cause'],
        ),
      }),
      { resultPath: '$.failure' },
    );
    return task;
  }

  private reschedule(reschedule: lambda.Function): sfn.IChainable {
    const task = new LambdaInvoke(this, 'Reschedule', {
      lambdaFunction: reschedule,
      payload: sfn.TaskInput.fromObject({
        ...EXECUTION_INPUT,
        stateMachineArn: sfn.JsonPath.stringAt('$$.StateMachine.Id'),
      }),
      resultSelector: {
        failed: false,
        message: format('Rescheduling ended well. {}', ['$.Payload.reason']),
      } satisfies BranchEnd,
      retryOnServiceExceptions: false,
    });
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(
      this.readFailure('Reschedule').next(
        this.branchFailed(
          'Rescheduling failed',
          'Rescheduling failed: the next run of {} was not started; a scan starts it. {}: {}',
          ['$.secretArn', '$.failure.Error', '$.failure.Cause'],
        ),
      ),
      { resultPath: '$.failure' },
    );
    return task;
  }

  private dump(job: DumpJob): sfn.IChainable {
    const task = new sfn.CustomState(this, 'Dump', { stateJson: submitJob(job) });
    task.addRetry(SUBMIT_RETRY);
    task.addCatch(this.readFailure('Dump').next(this.dumpFailed()), { resultPath: '$.failure' });
    return task;
  }

  /** A job that failed gives its own description as the cause, as JSON; other errors give a sentence or nothing. */
  private dumpFailed(): sfn.IChainable {
    const readJob = new sfn.Pass(this, 'Read job', {
      parameters: {
        ...FAILED_RUN,
        job: merge('$.absent', sfn.JsonPath.stringToJson(sfn.JsonPath.stringAt('$.failure.Cause'))),
      },
    });
    const readContainer = new sfn.Pass(this, 'Read container', {
      parameters: { ...FAILED_RUN, job: at('$.job'), container: merge('$.absent', at('$.job.Container')) },
    });
    const jobFailed = this.branchFailed(
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
    );
    const notRun = this.branchFailed('No job ended', 'The dump of {} at {} failed without a job that ended. {}: {}.', [
      '$.secretArn',
      '$.when',
      '$.failure.Error',
      '$.failure.Cause',
    ]);
    return new sfn.Choice(this, 'Did a job fail?')
      .when(sfn.Condition.stringMatches('$.failure.Cause', '{*"JobId":*}'), readJob.next(readContainer).next(jobFailed))
      .otherwise(notRun);
  }

  private readFailure(branch: string): sfn.Pass {
    return new sfn.Pass(this, `${branch}: read failure`, {
      parameters: { ...FAILED_RUN, failure: merge('$.absent', at('$.failure')) },
    });
  }

  private branchFailed(id: string, message: string, paths: readonly string[]): sfn.Pass {
    return new sfn.Pass(this, id, {
      parameters: { failed: true, message: format(message, paths) } satisfies BranchEnd,
    });
  }
}

/** The value at a path, of whatever type. */
function at(path: string): IResolvable {
  return sfn.JsonPath.objectAt(path);
}

/** The value with what it lacks filled in. */
function merge(defaults: string, value: IResolvable): IResolvable {
  return sfn.JsonPath.jsonMerge(at(defaults), value);
}

/** A sentence with the values at the paths in place of `{}`. */
function format(message: string, paths: readonly string[]): string {
  return sfn.JsonPath.format(message, ...paths.map((path) => sfn.JsonPath.stringAt(path)));
}

/**
 * The state that submits the job and waits for its end. The definition goes by name, without a revision: an execution
 * may wait for months, and a deployment deregisters the revision it would have known.
 */
function submitJob(job: DumpJob): object {
  const perRun: Omit<DumpEnvironment, 'AUTODUMP_BUCKETS' | 'TMPDIR'> = {
    AUTODUMP_SECRET_ARN: '$.secretArn',
    AUTODUMP_WHEN: '$.when',
    AUTODUMP_EXECUTION: '$$.Execution.Id',
  };
  const end: BranchEnd = { failed: false, message: 'The dump ended well.' };
  return {
    Type: 'Task',
    Resource: `arn:${Aws.PARTITION}:states:::batch:submitJob.sync`,
    Parameters: {
      'JobName.$': '$$.Execution.Name',
      JobDefinition: job.definitionName,
      JobQueue: job.queue.jobQueueArn,
      ContainerOverrides: {
        Environment: Object.entries(perRun).map(([Name, path]) => ({ Name, 'Value.$': path })),
      },
    },
    ResultSelector: end,
    // Batch bounds the attempts alone: without this a job that finds no capacity would wait for ever.
    TimeoutSeconds: job.longestRun.plus(LONGEST_WAIT_FOR_CAPACITY).toSeconds(),
  };
}
