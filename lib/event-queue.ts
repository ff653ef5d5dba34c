import { Duration } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface EventQueueProps {
  /** Handles the events in batches, and returns the IDs of those on which it failed as `batchItemFailures`. */
  readonly consumer: lambda.Function;
  /** Of the function. */
  readonly timeout: Duration;
  /** At most so many events are handled at once. */
  readonly batchSize: number;
  /** How long events are collected for a batch. */
  readonly window: Duration;
  /** The fewest batches at a time that Lambda can be limited to are two. */
  readonly maxConcurrency: number;
  /** Receives events that could not be put into the queue, or on which every attempt failed. */
  readonly deadLetters: sqs.IQueue;
}

/** Lambda may have to return a batch to the queue a few times because other functions use the account's concurrency. */
const ATTEMPTS = 5;

/** A queue between rules and a function, so that any number of events at once does not set the function's pace. */
export class EventQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly #deadLetters: sqs.IQueue;

  constructor(scope: Construct, id: string, { consumer, deadLetters, window, timeout, ...props }: EventQueueProps) {
    super(scope, id);
    this.#deadLetters = deadLetters;
    this.queue = new sqs.Queue(this, 'Queue', {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times the timeout and the window: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds() + window.toSeconds()),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: ATTEMPTS },
    });
    // Lambda needs these to poll the queue; CDK's own grant has others, too.
    consumer.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'ReceiveEvents',
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
    );
    new lambda.EventSourceMapping(this, 'Events', {
      target: consumer,
      eventSourceArn: this.queue.queueArn,
      batchSize: props.batchSize,
      maxBatchingWindow: window,
      maxConcurrency: props.maxConcurrency,
      reportBatchItemFailures: true,
    });
  }

  /** The queue as the target of a rule. Unlike CDK's own class it grants only what sending needs. */
  get target(): events.IRuleTarget {
    return {
      bind: (rule) => {
        for (const queue of [this.queue, this.#deadLetters]) {
          queue.addToResourcePolicy(
            new iam.PolicyStatement({
              principals: [new iam.ServicePrincipal('events.amazonaws.com')],
              actions: ['sqs:SendMessage'],
              resources: [queue.queueArn],
              conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleRef.ruleArn } },
            }),
          );
        }
        return {
          arn: this.queue.queueArn,
          deadLetterConfig: { arn: this.#deadLetters.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: Duration.hours(24).toSeconds(), maximumRetryAttempts: 185 },
          targetResource: this.queue,
        };
      },
    };
  }
}
