import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
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
}

/** Alarms for failed runs, failed scans and lost events, and the topic that they notify. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { stateMachine, scanner, deadLetters }: AlarmsProps) {
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
    /** By construct ID: the problem, its article in the runbook, and the metric that shows it. */
    const alarms: Record<string, [problem: string, article: string, metric: cloudwatch.IMetric]> = {
      RunFailed: ['A dump or its rescheduling failed', 'alarm-run-failed', stateMachine.metricFailed(options)],
      RunTimedOut: ['A run exceeded its time limit', 'alarm-run-timed-out', stateMachine.metricTimedOut(options)],
      RunAborted: ['A run was stopped', 'alarm-run-aborted', stateMachine.metricAborted(options)],
      ScanFailed: ['A scan could not handle every secret', 'alarm-scan-failed', scanner.metricErrors(options)],
      // Counts arrivals, not the queue's length: one message left in the queue would hide all later ones.
      EventLost: [
        'An event could not be delivered or processed',
        'alarm-event-lost',
        deadLetters.metricNumberOfMessagesSent(options),
      ],
    };
    for (const [name, [problem, article, metric]] of Object.entries(alarms)) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmDescription: `${problem}. See docs/operations.md#${article}`,
        metric,
        threshold: 0,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
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
