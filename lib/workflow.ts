import { Duration, Validations } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { Comparison } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { ABSENT, branchFailed, type BranchResult, format, readFailure, valueAt } from './branch-result.ts';
import { dumpBranch } from './dump-branch.ts';
import type { DumpJob } from './dump-job.ts';
import { allowStart } from './scheduling-functions.ts';

export interface WorkflowProps {
  readonly hash: lambda.Function;
  readonly reschedule: lambda.Function;
  readonly dumpJob: DumpJob;
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
};

const UNCHANGED: Comparison['outcome'] = 'unchanged';

/**
 * The state machine of one run:
 *
 *     wait until `when` -> compare tags -> changed, removed, gone: superseded
 *                                       -> unchanged: dump | reschedule -> done, or failed with both branches' messages
 *
 * Neither branch can stop the other: each always succeeds, and its result says whether it failed.
 */
export class Workflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { hash, reschedule, dumpJob }: WorkflowProps) {
    super(scope, id);
    const waitUntilScheduled = new sfn.Wait(this, 'Wait until scheduled', {
      time: sfn.WaitTime.timestampPath('$.when'),
    });
    const prepare = new sfn.Pass(this, 'Name what may be absent', {
      result: sfn.Result.fromObject(ABSENT),
      resultPath: '$.absent',
    });
    const compareTags = this.compareTags(hash);
    const isUnchanged = new sfn.Choice(this, 'Is the schedule unchanged?');
    const superseded = new sfn.Succeed(this, 'Superseded', {
      comment: 'The output tells the reason',
      outputPath: '$.comparison',
    });
    const run = new sfn.Parallel(this, 'Dump and reschedule', {
      resultSelector: { dump: valueAt('$[0]'), reschedule: valueAt('$[1]') },
      resultPath: '$.branches',
    });
    const didBothEndWell = new sfn.Choice(this, 'Did both end well?');
    const done = new sfn.Succeed(this, 'Done');
    const failed = new sfn.Fail(this, 'Failed', {
      error: 'RunFailed',
      causePath: format('{} {}', ['$.branches.dump.message', '$.branches.reschedule.message']),
    });

    run.branch(dumpBranch(this, dumpJob), this.reschedule(reschedule));
    isUnchanged.when(sfn.Condition.stringEquals('$.comparison.outcome', UNCHANGED), run).otherwise(superseded);
    didBothEndWell.when(sfn.Condition.or(hasFailed('dump'), hasFailed('reschedule')), failed).otherwise(done);
    run.next(didBothEndWell);

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      comment: 'One scheduled dump of one database',
      definitionBody: sfn.DefinitionBody.fromChainable(
        waitUntilScheduled.next(prepare).next(compareTags).next(isUnchanged),
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
    dumpJob.grantRun(this.stateMachine.role);
    allowStart(this, this.stateMachine, reschedule);
  }

  private compareTags(hash: lambda.Function): LambdaInvoke {
    const task = new LambdaInvoke(this, 'Compare tags', {
      lambdaFunction: hash,
      payload: sfn.TaskInput.fromObject(EXECUTION_INPUT),
      resultSelector: { outcome: valueAt('$.Payload.outcome'), reason: valueAt('$.Payload.reason') },
      resultPath: '$.comparison',
      retryOnServiceExceptions: false,
    });
    const comparisonFailed = new sfn.Fail(this, 'Comparison failed', {
      error: 'ComparisonFailed',
      causePath: format(
        'Whether the schedule of {} is unchanged could not be found out, so nothing was dumped at {}. {}: {}',
        ['$.secretArn', '$.when', '$.failure.Error', '$.failure.Cause'],
      ),
    });
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(readFailure(this, 'Read comparison failure').next(comparisonFailed), { resultPath: '$.failure' });
    return task;
  }

  private reschedule(reschedule: lambda.Function): LambdaInvoke {
    const task = new LambdaInvoke(this, 'Reschedule', {
      lambdaFunction: reschedule,
      payload: sfn.TaskInput.fromObject({
        ...EXECUTION_INPUT,
        stateMachineArn: sfn.JsonPath.stringAt('$$.StateMachine.Id'),
      }),
      resultSelector: {
        failed: false,
        message: format('Rescheduling ended well. {}', ['$.Payload.reason']),
      } satisfies BranchResult,
      retryOnServiceExceptions: false,
    });
    const reschedulingFailed = branchFailed(
      this,
      'Rescheduling failed',
      'Rescheduling failed: the next run of {} was not started, which the next scan makes up for. {}: {}',
      ['$.secretArn', '$.failure.Error', '$.failure.Cause'],
    );
    task.addRetry(FUNCTION_RETRY);
    task.addCatch(readFailure(this, 'Read rescheduling failure').next(reschedulingFailed), {
      resultPath: '$.failure',
    });
    return task;
  }
}

function hasFailed(branch: 'dump' | 'reschedule'): sfn.Condition {
  return sfn.Condition.booleanEquals(`$.branches.${branch}.failed`, true);
}
