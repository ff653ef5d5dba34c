import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
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
import { EventQueue } from './event-queue.ts';
import { schedulingFunction } from './scheduling-functions.ts';
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
  /** Receives events that could not be delivered, or on which the function failed even on its last attempt. */
  readonly deadLetters: sqs.IQueue;
  /** Has the topic that the function's messages go to, and gets alarms for the function itself. */
  readonly alarms: Alarms;
  readonly scanInterval: Duration;
}

/** A batch of failed runs takes about 20 seconds. */
const TIMEOUT = Duration.minutes(2);

/**
 * Two batches at a time, each at the pace of the function, are four messages a second: SNS deactivates a subscription
 * by e-mail that gets more than ten. What arrives within a minute and is more than a few is one message of at most a
 * hundred reports: so many fit.
 */
const PACE = { timeout: TIMEOUT, batchSize: 100, window: Duration.minutes(1), maxConcurrency: 2 };

/** A batch is handled within minutes of its first event. On one that failed, the next attempt follows after 13. */
const WAITING_TOO_LONG = Duration.minutes(15);

/**
 * The function that reports each failed run, each failed scan, each recovery and each check in words. Input
 * transformers could not: what an execution was started with is text within its event, and a recovery is one only after
 * a failure. It gets its events by way of a queue.
 */
export class Notify extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: NotifyProps) {
    super(scope, id);
    const { check, dumpLog, deadLetters, alarms } = props;
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
      timeout: TIMEOUT,
      environment: { ...environment },
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
    const queue = new EventQueue(this, 'Events', { ...PACE, consumer: this.function, deadLetters });
    for (const rule of this.rules(props, queue.target)) {
      alarms.addUndelivered(rule);
    }
    this.addAlarms(props, queue.queue);
  }

  private addAlarms({ alarms, scanner }: NotifyProps, queue: sqs.Queue): void {
    alarms.add('ScanUnreported', {
      problem: 'A failed scan could not be put on the event bus',
      article: 'alarm-event-lost',
      metric: scanner.metric('DestinationDeliveryFailures', { statistic: 'Sum', period: Duration.minutes(5) }),
      evaluationPeriods: LATE,
    });
    alarms.addErrors('NotifyFailed', this.function, 'Messages could not be sent', 'alarm-notify-failed');
    // An event on which the function fails is no error of the function, and its way to the dead-letter queue is not
    // among the messages sent there. It comes after an hour.
    alarms.add('MessagesWaiting', {
      problem: 'An event has waited for its message for a quarter of an hour',
      article: 'alarm-messages-waiting',
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: Duration.minutes(5) }),
      threshold: WAITING_TOO_LONG.toSeconds(),
      evaluationPeriods: LATE,
    });
  }

  /** The rules for all that is reported. */
  private rules({ stateMachine, check, scanner }: NotifyProps, target: events.IRuleTarget): readonly events.Rule[] {
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
