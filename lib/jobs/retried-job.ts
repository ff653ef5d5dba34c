import { Duration } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import type { Construct } from 'constructs';
import { EXIT_STATUS } from '../../contract.ts';
import { leaveOutVolumeHost } from './job-container.ts';

export interface RetriedJobProps {
  /** Name of the job definition. */
  readonly name: string;
  readonly container: batch.EcsFargateContainerDefinition;
  /** How long one attempt may run before it is stopped. */
  readonly timeout: Duration;
}

/** Attempts at one job, including the first. */
const ATTEMPTS = 3;

/**
 * Batch retries what the program reports as worth a retry, and infrastructure failures before the program ran. The last
 * rule makes everything else final, since Batch retries what no rule matches.
 */
const RETRY_STRATEGIES = [
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onExitCode: String(EXIT_STATUS.tryAgain) })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Task failed to start*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'ResourceInitializationError*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Timeout waiting for network*' })),
  batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom({ onReason: '*' })),
];

/** Defines a job that is retried if that may help. */
export function defineRetriedJob(scope: Construct, id: string, { name, container, timeout }: RetriedJobProps): void {
  const definition = new batch.EcsJobDefinition(scope, id, {
    jobDefinitionName: name,
    container,
    retryAttempts: ATTEMPTS,
    retryStrategies: RETRY_STRATEGIES,
    timeout,
  });
  leaveOutVolumeHost(definition);
}

/** Upper bound of the run time of all attempts of a job, without waiting. */
export function maxRunTime(timeout: Duration): Duration {
  return Duration.hours(timeout.toHours() * ATTEMPTS);
}
