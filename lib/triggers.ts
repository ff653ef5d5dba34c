import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TriggersProps {
  readonly scanner: lambda.IFunction;
  /** Receives events that could not be delivered. */
  readonly deadLetters: sqs.IQueue;
  /** Period of the scan that finds changes which no event reported. */
  readonly scanInterval: Duration;
}

/**
 * The calls that can put a secret on a schedule, or on another one: its tags change, or it is there, undeleted or its
 * own primary for the first time. After any other call the secret has the same schedule, and a deleted one is noticed
 * when its next run is due. CloudFormation, RDS and the tag editor make these same calls.
 */
const SCHEDULING_CALLS = ['CreateSecret', 'TagResource', 'UntagResource', 'RestoreSecret', 'StopReplicationToReplica'];

/** The rules that invoke the Scanner: on a tag event, periodically, and after a deployment. */
export class Triggers extends Construct {
  readonly rules: readonly events.Rule[];

  constructor(scope: Construct, id: string, props: TriggersProps) {
    super(scope, id);
    const target = new LambdaFunction(props.scanner, {
      deadLetterQueue: props.deadLetters,
      maxEventAge: Duration.hours(2),
      retryAttempts: 10,
    });
    const tagsChanged = new events.Rule(this, 'TagsChanged', {
      description: 'A secret was created, restored or promoted, or its tags were changed',
      // Not filtered by tags: CloudTrail does not guarantee to include them.
      eventPattern: {
        source: ['aws.secretsmanager'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: ['secretsmanager.amazonaws.com'],
          eventName: SCHEDULING_CALLS,
          // CloudTrail also reports refused calls, which may name a secret of another account.
          errorCode: [{ exists: false }],
        },
      },
      targets: [target],
    });
    const periodically = new events.Rule(this, 'Periodically', {
      description: 'Finds changes that no event reported',
      schedule: events.Schedule.rate(props.scanInterval),
      targets: [target],
    });
    const deployed = new events.Rule(this, 'Deployed', {
      description: 'This stack was deployed',
      eventPattern: {
        source: ['aws.cloudformation'],
        detailType: ['CloudFormation Stack Status Change'],
        detail: {
          'stack-id': [Stack.of(this).stackId],
          'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] },
        },
      },
      targets: [target],
    });
    this.rules = [tagsChanged, periodically, deployed];
  }
}
