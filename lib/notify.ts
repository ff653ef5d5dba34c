import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { NotifyEnvironment } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { type Alarms, LATE } from './alarms.ts';
import { grantPutOwnEvents } from './default-bus.ts';
import { queueDestination, schedulingFunction } from './scheduling-functions.ts';
import { StateBucket } from './state-bucket.ts';

export interface NotifyProps {
  /** Whose executions are the runs. */
  readonly stateMachine: sfn.StateMachine;
  /** Whose executions are the checks of newly tagged secrets. */
  readonly check: sfn.StateMachine;
  /** Puts its failed scans on the default event bus. */
  readonly scanner: lambda.Function;
  /** The log of the jobs that runs submit, whose last line is the reason of a failure. */
  readonly dumpLog: logs.ILogGroup;
  /** IDs, comma-separated. */
  readonly jobSecurityGroups: string;
  /** Receives events that could not be delivered, or on which the function failed even on its last retry. */
  readonly deadLetters: sqs.IQueue;
  /** Has the topic that the function's messages go to, and gets alarms for the function itself. */
  readonly alarms: Alarms;
  readonly scanInterval: Duration;
}

/**
 * The function that reports each failed run, each failed scan, each recovery and each check in words. Input
 * transformers could not: what an execution was started with is text within its event, and a recovery is one only after
 * a failure.
 */
export class Notify extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: NotifyProps) {
    super(scope, id);
    const { check, scanner, dumpLog, deadLetters, alarms } = props;
    const state = new StateBucket(this, 'State', {
      key: '*',
      contents: 'It holds only ARNs of executions, times, and hashes of problems.',
    });
    const environment: NotifyEnvironment = {
      TOPIC_ARN: alarms.topic.topicArn,
      STATE_BUCKET: state.bucket.bucketName,
      DUMP_LOG_GROUP: dumpLog.logGroupName,
      CHECK_STATE_MACHINE_ARN: check.stateMachineArn,
      JOB_SECURITY_GROUPS: props.jobSecurityGroups,
      SCAN_INTERVAL_MINUTES: String(props.scanInterval.toMinutes()),
    };
    this.function = schedulingFunction(this, 'Function', {
      source: 'lambda/notify.ts',
      description: 'Reports failed runs, failed scans, recoveries and checks in words',
      timeout: Duration.minutes(1),
      environment: { ...environment },
      onFailure: queueDestination(deadLetters),
      retryAttempts: 2,
    });
    state.grantReadWrite(this.function);
    acknowledgeWildcards(
      this,
      [state.bucket.arnForObjects('*')],
      'At most three objects for each secret, one for each problem, and no other objects.',
    );
    this.allow('Report', 'sns:Publish', alarms.topic.topicArn);
    this.allow('ReadReason', 'logs:GetLogEvents', dumpLog.logGroupArn);
    grantPutOwnEvents(this.function);
    for (const rule of this.rules(props)) {
      alarms.addUndelivered(rule);
    }
    alarms.add('ScanUnreported', {
      problem: 'A failed scan could not be put on the event bus',
      article: 'alarm-event-lost',
      metric: scanner.metric('DestinationDeliveryFailures', { statistic: 'Sum', period: Duration.minutes(5) }),
      evaluationPeriods: LATE,
    });
    alarms.addErrors('NotifyFailed', this.function, 'A message could not be sent', 'alarm-notify-failed');
  }

  /** The rules that invoke the function. */
  private rules({ stateMachine, check, scanner, deadLetters }: NotifyProps): readonly events.Rule[] {
    const target = new LambdaFunction(this.function, {
      deadLetterQueue: deadLetters,
      maxEventAge: Duration.hours(24),
      retryAttempts: 185,
    });
    return [
      new events.Rule(this, 'RunEnded', {
        description: 'A run or a check has ended',
        eventPattern: {
          source: ['aws.states'],
          detailType: ['Step Functions Execution Status Change'],
          detail: {
            stateMachineArn: [stateMachine.stateMachineArn, check.stateMachineArn],
            status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
          },
        },
        targets: [target],
      }),
      new events.Rule(this, 'ScanEnded', {
        description: 'A scan has failed, and its retries as well',
        eventPattern: {
          source: ['lambda'],
          account: [Stack.of(this).account],
          detailType: ['Lambda Function Invocation Result - Failure'],
          detail: { requestContext: { functionArn: [{ prefix: scanner.functionArn }] } },
        },
        targets: [target],
      }),
    ];
  }

  private allow(sid: string, action: string, resource: string): void {
    this.function.addToRolePolicy(new iam.PolicyStatement({ sid, actions: [action], resources: [resource] }));
  }
}
