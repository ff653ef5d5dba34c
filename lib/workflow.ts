import { Duration, Validations } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { BranchResult, Comparison, HashInput, Purpose, ReschedulingResult } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { ABSENT, branchFailed, format, readFailure, valueAt } from './jobs/branch-result.ts';
import { jobBranch } from './jobs/job-branch.ts';
import { allowJobs, type RunJob } from './jobs/submit-job.ts';
import { allowStart } from './scheduling-functions.ts';
import { THROTTLING_RETRY } from './throttling-retry.ts';

export interface WorkflowProps {
  readonly hash: lambda.Function;
  readonly reschedule: lambda.Function;
  readonly dumpJob: RunJob;
  readonly drillJob: RunJob;
}

/**
 * Worst case: seven attempts, at most 1 + 2 + 4 + 8 + 16 + 32 s apart, so that a fault of up to a minute is ridden out
 * and a lasting one is reported after about a minute, not counting the attempts themselves. Every error is retried: the
 * functions are idempotent, and retrying a permanent error only costs that minute.
 */
const FUNCTION_RETRY: sfn.RetryProps = {
  errors: [sfn.Errors.ALL],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 6,
  jitterStrategy: sfn.JitterType.FULL,
};

const EXECUTION_INPUT = {
  secretArn: sfn.JsonPath.stringAt('$.secretArn'),
  tagsHash: sfn.JsonPath.stringAt('$.tagsHash'),
  when: sfn.JsonPath.stringAt('$.when'),
  purpose: sfn.JsonPath.stringAt('$.purpose'),
};

const DUMP: Purpose = 'dump';
const DRILL: Purpose = 'drill';

const UNCHANGED: Comparison['outcome'] = 'unchanged';
const MOVED: Comparison['outcome'] = 'moved';

/**
 * The state machine of one run:
 *
 *     wait until `when` -> compare tags -> changed, removed, gone: superseded
 *                                       -> unchanged: job | reschedule -> done, or failed with both branches' results
 *                                       -> moved, or the comparison failed: reschedule only -> done, or failed likewise
 *
 * The job is that of the run's purpose: it makes a dump, or it is a drill. Neither branch can stop the other: each
 * always succeeds, and its result says whether it failed.
 */
export class Workflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { hash, reschedule, dumpJob, drillJob }: WorkflowProps) {
    super(scope, id);
    const waitUntilScheduled = new sfn.Wait(this, 'Wait until scheduled', {
      time: sfn.WaitTime.timestampPath('$.when'),
    });
    const prepare = new sfn.Pass(this, 'Name what may be absent', {
      result: sfn.Result.fromObject(ABSENT),
      resultPath: '$.absent',
    });
    const isUnchanged = new sfn.Choice(this, 'Is the schedule unchanged?');
    const superseded = new sfn.Succeed(this, 'Superseded', {
      comment: 'The output tells the reason',
      outputPath: '$.comparison',
    });
    const end = this.end();
    const job = new sfn.Choice(this, 'Is it a drill?')
      .when(sfn.Condition.stringEquals('$.purpose', DRILL), jobBranch(this, DRILL, drillJob))
      .otherwise(jobBranch(this, DUMP, dumpJob));
    const run = new sfn.Parallel(this, 'Run job and reschedule', {
      resultSelector: { dump: valueAt('$[0]'), reschedule: valueAt('$[1]') },
      resultPath: '$.branches',
    });
    run.branch(job, this.reschedule('Reschedule', reschedule)).next(end);
    const rescheduleOnly = this.rescheduleOnly(reschedule, end);
    const notDue = new sfn.Pass(this, 'Nothing is due', {
      parameters: { failed: false, message: sfn.JsonPath.stringAt('$.comparison.reason') } satisfies BranchResult,
      resultPath: '$.branches.dump',
    });
    isUnchanged
      .when(sfn.Condition.stringEquals('$.comparison.outcome', UNCHANGED), run)
      .when(sfn.Condition.stringEquals('$.comparison.outcome', MOVED), notDue.next(rescheduleOnly))
      .otherwise(superseded);
    const compareTags = this.compareTags(hash, rescheduleOnly);

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      comment: 'One scheduled dump or drill of one database',
      definitionBody: sfn.DefinitionBody.fromChainable(
        waitUntilScheduled.next(this.namePurpose()).next(prepare).next(compareTags).next(isUnchanged),
      ),
    });
    Validations.of(this.stateMachine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'Step Functions keeps the history of an execution for 90 days; log delivery would need wildcard permissions.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason: 'A run has five steps, all in its execution history; a trace would add nothing.',
      },
    );
    acknowledgeWildcards(
      this.stateMachine,
      [hash, reschedule].flatMap((fn) => fn.resourceArnsForGrantInvoke.slice(1)),
      'The versions of these functions.',
    );
    allowJobs(this.stateMachine.role, dumpJob, drillJob);
    allowStart(this, this.stateMachine, reschedule);
  }

  /** Dumps are started without a purpose: see {@link ExecutionInput}. */
  private namePurpose(): sfn.Chain {
    const dump = new sfn.Pass(this, 'It is a dump', { result: sfn.Result.fromString(DUMP), resultPath: '$.purpose' });
    return new sfn.Choice(this, 'Is its purpose absent?')
      .when(sfn.Condition.not(sfn.Condition.isPresent('$.purpose')), dump)
      .afterwards({ includeOtherwise: true });
  }

  /** The states that end the execution by the results of both branches, which are the cause if one failed. */
  private end(): sfn.Choice {
    const failed = new sfn.Fail(this, 'Failed', {
      error: 'RunFailed',
      causePath: sfn.JsonPath.jsonToString(valueAt('$.branches')),
    });
    return new sfn.Choice(this, 'Did both end well?')
      .when(sfn.Condition.or(hasFailed('dump'), hasFailed('reschedule')), failed)
      .otherwise(new sfn.Succeed(this, 'Done'));
  }

  private compareTags(hash: lambda.Function, afterFailure: sfn.IChainable): LambdaInvoke {
    const task = new LambdaInvoke(this, 'Compare tags', {
      lambdaFunction: hash,
      payload: sfn.TaskInput.fromObject({
        ...EXECUTION_INPUT,
        started: sfn.JsonPath.stringAt('$$.Execution.StartTime'),
      } satisfies Record<keyof HashInput, string>),
      resultSelector: { outcome: valueAt('$.Payload.outcome'), reason: valueAt('$.Payload.reason') },
      resultPath: '$.comparison',
      retryOnServiceExceptions: false,
    });
    const comparisonFailed = branchFailed(
      this,
      'Comparison failed',
      'The comparison failed: AutoDump could not read whether the schedule of {} is unchanged, so there was no {} at {}. {}: {}.',
      ['$.secretArn', '$.purpose', '$.when', '$.failure.Error', '$.failure.Cause'],
      '$.branches.dump',
    );
    task.addRetry(THROTTLING_RETRY);
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(readFailure(this, 'Read comparison failure').next(comparisonFailed).next(afterFailure), {
      resultPath: '$.failure',
    });
    return task;
  }

  private rescheduleOnly(reschedule: lambda.Function, end: sfn.IChainable): sfn.Parallel {
    const rescheduleOnly = new sfn.Parallel(this, 'Reschedule without a job', {
      resultPath: '$.rescheduling',
    });
    const readRescheduling = new sfn.Pass(this, 'Read rescheduling', {
      inputPath: '$.rescheduling[0]',
      resultPath: '$.branches.reschedule',
    });
    rescheduleOnly.branch(this.reschedule('Reschedule only', reschedule)).next(readRescheduling).next(end);
    return rescheduleOnly;
  }

  private reschedule(name: string, reschedule: lambda.Function): LambdaInvoke {
    const task = new LambdaInvoke(this, name, {
      lambdaFunction: reschedule,
      payload: sfn.TaskInput.fromObject({
        ...EXECUTION_INPUT,
        stateMachineArn: sfn.JsonPath.stringAt('$$.StateMachine.Id'),
      }),
      resultSelector: {
        failed: false,
        message: format('Rescheduling ended well. {}', ['$.Payload.reason']),
        result: valueAt('$.Payload'),
      } satisfies Record<keyof ReschedulingResult, unknown>,
      retryOnServiceExceptions: false,
    });
    const reschedulingFailed = branchFailed(
      this,
      `${name}: failed`,
      'Rescheduling failed: the next run of {} was not started, which the next scan makes up for. {}: {}',
      ['$.secretArn', '$.failure.Error', '$.failure.Cause'],
    );
    task.addRetry(THROTTLING_RETRY);
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(readFailure(this, `${name}: read failure`).next(reschedulingFailed), {
      resultPath: '$.failure',
    });
    return task;
  }
}

function hasFailed(branch: 'dump' | 'reschedule'): sfn.Condition {
  return sfn.Condition.booleanEquals(`$.branches.${branch}.failed`, true);
}
