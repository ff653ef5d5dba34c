import { Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TriggersProps {
  readonly scanner: lambda.IFunction;
  /** Where an event goes that could not be delivered. */
  readonly deadLetters: sqs.IQueue;
  /** Period of the scan that finds what no event told of. */
  readonly scanInterval: Duration;
}

/** What invokes the Scanner: a secret that is tagged, time, and a deployment. */
export class Triggers extends Construct {
  constructor(scope: Construct, id: string, props: TriggersProps) {
    super(scope, id);
    const target = new LambdaFunction(props.scanner, {
      deadLetterQueue: props.deadLetters,
      maxEventAge: Duration.hours(2),
      retryAttempts: 10,
    });
    new events.Rule(this, 'TagsChanged', {
      description: 'A secret was made, or its tags were changed',
      // No tags: whether CloudTrail shows the tags of a secret is not promised.
      eventPattern: {
        source: ['aws.secretsmanager'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: ['secretsmanager.amazonaws.com'],
          eventName: ['CreateSecret', 'TagResource', 'UntagResource'],
          // CloudTrail tells of refused calls as well, which may name a secret of somebody else.
          errorCode: [{ exists: false }],
        },
      },
      targets: [target],
    });
    new events.Rule(this, 'Periodically', {
      description: 'Finds what no event told of',
      schedule: events.Schedule.rate(props.scanInterval),
      targets: [target],
    });
    new events.Rule(this, 'Deployed', {
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
  }
}
