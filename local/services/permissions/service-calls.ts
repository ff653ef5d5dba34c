import { ACCOUNT, REGION } from '../../assembly/account.ts';
import type { RequiredCall } from '../iam/decision.ts';

/** Creating a log stream and writing to it. Both are authorized on the stream. */
export function logCalls(group: string, stream: string): readonly RequiredCall[] {
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => logCall(action, group, stream));
}

export function logCall(action: string, group: string, stream: string): RequiredCall {
  return { action, resource: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}:log-stream:${stream}` };
}

/** ARN of the default event bus. */
export const DEFAULT_BUS = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/default`;

/** Putting events of these sources on the default event bus. */
export function putEventsCall(sources: readonly string[]): RequiredCall {
  return { action: 'events:PutEvents', resource: DEFAULT_BUS, context: { 'events:source': sources } };
}

/** Sending to a destination of failed events. */
export function destinationCall(arn: string): RequiredCall {
  const [, , service = ''] = arn.split(':');
  if (service === 'events') {
    return putEventsCall(['lambda']);
  }
  const actions: Readonly<Record<string, string>> = { sqs: 'sqs:SendMessage', sns: 'sns:Publish' };
  const action = actions[service];
  if (action === undefined) {
    throw new Error(`The permission required to send failed events to ${arn} is unknown.`);
  }
  return { action, resource: arn };
}

/**
 * Creating a state machine with a task that waits for a job: Step Functions is notified of the job's end by a managed
 * rule. https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html
 */
export function managedRuleCalls(taskResource: string): readonly RequiredCall[] {
  if (!taskResource.endsWith(':batch:submitJob.sync')) {
    return [];
  }
  const resource = `arn:aws:events:${REGION}:${ACCOUNT}:rule/StepFunctionsGetEventsForBatchJobsRule`;
  return ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'].map((action) => ({ action, resource }));
}

/** Submitting, tagging and monitoring a job, which Step Functions does with the machine's role. */
export function submitCalls(queueArn: string, definitionArn: string, jobId: string): readonly RequiredCall[] {
  return [
    { action: 'batch:SubmitJob', resource: queueArn },
    { action: 'batch:SubmitJob', resource: definitionArn },
    { action: 'batch:TagResource', resource: definitionArn },
    { action: 'batch:TagResource', resource: jobArn(jobId) },
    { action: 'batch:DescribeJobs', resource: '*' },
  ];
}

export function jobArn(jobId: string): string {
  return `arn:aws:batch:${REGION}:${ACCOUNT}:job/${jobId}`;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html */
export function pullCalls(image: string): readonly RequiredCall[] {
  const [, account, region, repository] = /^(\d{12})\.dkr\.ecr\.([^.]+)\.[^/]+\/(.+?)[:@]/.exec(image) ?? [];
  // Pulling from other registries requires no permission.
  if (account === undefined || region === undefined || repository === undefined) {
    return [];
  }
  const resource = `arn:aws:ecr:${region}:${account}:repository/${repository}`;
  return ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'].map((action) => ({
    action,
    resource,
  }));
}
