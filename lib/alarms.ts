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

/**
 * Periods of an alarm on a metric that comes late: half an hour. Lambda counts an error at the start of its invocation, up to 15 minutes back, and SQS is up to 15 minutes
 * late with the metrics of an idle queue: an alarm that looks only at the last period would miss both.
 */
const LATE = 6;

/** Alarms for failed runs, failed scans and lost events, and the topic that they notify. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { stateMachine, scanner, deadLetters, rules }: AlarmsProps) {
    super(scope, id);
    const topic = new sns.Topic(this, 'Topic', { displayName: 'AutoDump alarms', enforceSSL: true });
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
      RunFailed: ['A dump or its rescheduling failed', 'alarm-run-failed', stateMachine.metricFailed(options), 1],
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
    for (const rule of rules) {
      alarms[`${rule.node.id}Undelivered`] = [
        `An event of the rule "${rule.node.id}" could not be delivered`,
        'alarm-event-lost',
        new cloudwatch.Metric({
          ...options,
          namespace: 'AWS/Events',
          metricName: 'InvocationsSentToDlq',
          dimensionsMap: { RuleName: rule.ruleName },
        }),
        LATE,
      ];
    }
    for (const [name, [problem, article, metric, evaluationPeriods]] of Object.entries(alarms)) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmDescription: `${problem}. See docs/operations.md#${article}`,
        metric,
        threshold: 0,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods,
        datapointsToAlarm: 1,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(topic));
    }
    new CfnOutput(Stack.of(this), 'AlarmTopicArn', {
      value: topic.topicArn,
      description: 'Subscribe to this topic to be notified of failed runs, failed scans and lost events',
    });
  }
}
