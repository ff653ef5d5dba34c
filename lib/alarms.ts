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

/** Tells somebody when a dump, a schedule or a scan failed: alarms, and a topic to subscribe to. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { stateMachine, scanner, deadLetters }: AlarmsProps) {
    super(scope, id);
    const topic = new sns.Topic(this, 'Topic', { displayName: 'AutoDump alarms', enforceSSL: true });
    // A topic with a policy of its own has lost the one that lets alarms in.
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
    const alarms: Record<string, [string, cloudwatch.IMetric]> = {
      RunFailed: ['A dump or its rescheduling failed', stateMachine.metricFailed(options)],
      RunTimedOut: ['A run took longer than an execution may', stateMachine.metricTimedOut(options)],
      RunAborted: ['A run was stopped by hand', stateMachine.metricAborted(options)],
      ScanFailed: ['A scan could not handle every secret', scanner.metricErrors(options)],
      // What comes, not what lies there: else one message that nobody removes would hide all that follow.
      EventLost: ['An event was given up on', deadLetters.metricNumberOfMessagesSent(options)],
    };
    for (const [name, [alarmDescription, metric]] of Object.entries(alarms)) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmDescription,
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
      description: 'Subscribe to this topic to be told when a dump, a schedule or a scan failed',
    });
  }
}
