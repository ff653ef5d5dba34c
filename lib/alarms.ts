import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface AlarmsProps {
  readonly stateMachine: sfn.StateMachine;
  readonly scanner: lambda.Function;
  readonly deadLetters: sqs.Queue;
  /** Rules whose events go to the dead-letter queue if they cannot be delivered. */
  readonly rules: readonly events.Rule[];
}

export interface AlarmProps
  extends
    Pick<cloudwatch.AlarmProps, 'metric' | 'evaluationPeriods'>,
    Partial<
      Pick<cloudwatch.AlarmProps, 'threshold' | 'comparisonOperator' | 'datapointsToAlarm' | 'treatMissingData'>
    > {
  /** A sentence without its full stop. */
  readonly problem: string;
  /** Anchor of its article in the runbook. */
  readonly article: string;
}

/**
 * Periods of an alarm on a metric that comes late: half an hour. Lambda counts an error at the start of its invocation,
 * up to 15 minutes back, and SQS is up to 15 minutes late with the metrics of an idle queue: an alarm that looks only
 * at the last period would miss both.
 */
export const LATE = 6;

/** Alarms for failed runs, failed scans and lost events, and the topic of all alarms and messages. */
export class Alarms extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { stateMachine, scanner, deadLetters, rules }: AlarmsProps) {
    super(scope, id);
    const topic = new sns.Topic(this, 'Topic', { displayName: 'AutoDump alarms', enforceSSL: true });
    this.topic = topic;
    // An explicit topic policy replaces the default one, which lets alarms publish.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LetAlarmsIn',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' }) },
        },
      }),
    );
    const options = { statistic: 'Sum', period: Duration.minutes(5) };
    /** By construct ID: the problem, its article in the runbook, the metric that shows it, and periods to look at. */
    const alarms: Record<string, [problem: string, article: string, metric: cloudwatch.IMetric, periods: number]> = {
      RunFailed: [
        'A dump, a drill or their rescheduling failed',
        'alarm-run-failed',
        stateMachine.metricFailed(options),
        1,
      ],
      RunTimedOut: ['A run exceeded its time limit', 'alarm-run-timed-out', stateMachine.metricTimedOut(options), 1],
      RunAborted: ['A run was stopped', 'alarm-run-aborted', stateMachine.metricAborted(options), 1],
      ScanFailed: ['A scan could not handle every secret', 'alarm-scan-failed', scanner.metricErrors(options), LATE],
      // Counts arrivals, not the queue's length: one message left in the queue would hide all later ones.
      EventLost: [
        'An event could not be delivered or processed',
        'alarm-event-lost',
        deadLetters.metricNumberOfMessagesSent(options),
        LATE,
      ],
    };
    for (const [name, [problem, article, metric, evaluationPeriods]] of Object.entries(alarms)) {
      this.add(name, { problem, article, metric, evaluationPeriods });
    }
    for (const rule of rules) {
      this.addUndelivered(rule);
    }
    new CfnOutput(Stack.of(this), 'AlarmTopicArn', {
      value: topic.topicArn,
      description: 'Subscribe to this topic for all alarms and messages: failed runs and scans, missing dumps, checks',
    });
  }

  /** Adds the alarm for events of a rule that could not be delivered. */
  addUndelivered(rule: events.Rule): void {
    this.add(`${rule.node.id}Undelivered`, {
      problem: `An event of the rule "${rule.node.id}" could not be delivered`,
      article: 'alarm-event-lost',
      metric: new cloudwatch.Metric({
        statistic: 'Sum',
        period: Duration.minutes(5),
        namespace: 'AWS/Events',
        metricName: 'InvocationsSentToDlq',
        dimensionsMap: { RuleName: rule.ruleName },
      }),
      evaluationPeriods: LATE,
    });
  }

  /** Adds the alarm for failed invocations of a function. */
  addErrors(id: string, fn: lambda.Function, problem: string, article: string): void {
    const metric = fn.metricErrors({ statistic: 'Sum', period: Duration.minutes(5) });
    this.add(id, { problem, article, metric, evaluationPeriods: LATE });
  }

  /** Adds an alarm, by default one that any data point above zero sets off. */
  add(id: string, { problem, article, ...options }: AlarmProps): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      alarmDescription: `${problem}. See docs/operations.md#${article}`,
      threshold: 0,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: 1,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...options,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
  }
}
