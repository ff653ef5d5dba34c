import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/**
 * Many schedules are due at the same second, a new account runs ten functions at a time, and Batch takes fifty jobs a
 * second. That a call was throttled only means that others came first, so it is tried again for about an hour: after
 * the first few, pauses are half a minute on average. The errors are those of the services, and the one with which a
 * function ends that was throttled itself.
 *
 * Must come before any other retry of the same task, since the first that matches counts.
 */
export const THROTTLING_RETRY: sfn.RetryProps = {
  errors: [
    'Lambda.TooManyRequestsException',
    'Lambda.EC2ThrottledException',
    'Batch.TooManyRequestsException',
    'ThrottlingException',
  ],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 120,
  jitterStrategy: sfn.JitterType.FULL,
};
