import { Duration, Validations } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DumpJob } from './jobs/dump-job.ts';
import { allowJobs, retrySubmission, submitJob } from './jobs/submit-job.ts';

export interface CheckProps {
  readonly dumpJob: DumpJob;
}

/** Below the priority of dumps, which is 1: a check gets the capacity that no dump waits for. */
const PRIORITY = 0;

/** A check takes a minute or two. A server that never answers must not keep it, and the capacity, for longer. */
const ATTEMPT_TIMEOUT = Duration.minutes(10);

/** Ten thousand secrets that are tagged at once take about a day. */
const TIMEOUT = Duration.days(3);

/**
 * The state machine that checks whether a newly tagged secret can be dumped. It has one state, the job: an execution
 * succeeds if the dump could start, and otherwise fails with the description of the job as its cause. It is not that of
 * the runs, whose alarms and waiting executions have nothing to do with checks.
 */
export class Check extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { dumpJob }: CheckProps) {
    super(scope, id);
    const queue = new batch.JobQueue(this, 'Queue', {
      computeEnvironments: [{ computeEnvironment: dumpJob.computeEnvironment, order: 1 }],
      priority: PRIORITY,
    });
    const job = { queue, definitionName: dumpJob.definitionName };
    const submission = {
      namePrefix: 'check-',
      command: ['dump', '--check'],
      attemptTimeout: ATTEMPT_TIMEOUT,
    };
    const check = new sfn.CustomState(this, 'Check', {
      stateJson: { ...submitJob(job, submission), TimeoutSeconds: TIMEOUT.toSeconds() },
    });
    retrySubmission(check);
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      comment: 'One check of one newly tagged secret',
      definitionBody: sfn.DefinitionBody.fromChainable(check),
    });
    Validations.of(this.stateMachine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'Step Functions keeps the history of an execution for 90 days; log delivery would need wildcard permissions.',
      },
      { id: 'AwsSolutions-SF2', reason: 'A check has one step; a trace would add nothing.' },
    );
    allowJobs(this.stateMachine.role, job);
  }
}
