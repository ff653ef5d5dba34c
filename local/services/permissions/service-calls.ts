import { ACCOUNT, REGION } from '../../assembly/template.ts';
import type { Call } from '../iam/decision.ts';

type Wanted = Omit<Call, 'principal'>;

/** Opening a log stream and writing to it. Both are authorized on the stream. */
export function logCalls(group: string, stream: string): readonly Wanted[] {
  const resource = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}:log-stream:${stream}`;
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resource }));
}

/** Sending to a destination of failed events. */
export function destinationCall(arn: string): Wanted {
  const [, , service = ''] = arn.split(':');
  const actions: Readonly<Record<string, string>> = { sqs: 'sqs:SendMessage', sns: 'sns:Publish' };
  const action = actions[service];
  if (action === undefined) {
    throw new Error(`${arn} gets failed events, and which permission that takes is not known.`);
  }
  return { action, resource: arn };
}

/**
 * What Step Functions asks for when it creates a machine with a task that waits for a job: it learns of the job's end by
 * a rule of its own. https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html
 */
export function managedRuleCalls(taskResource: string): readonly Wanted[] {
  if (!taskResource.endsWith(':batch:submitJob.sync')) {
    return [];
  }
  const resource = `arn:aws:events:${REGION}:${ACCOUNT}:rule/StepFunctionsGetEventsForBatchJobsRule`;
  return ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'].map((action) => ({ action, resource }));
}

/** What Step Functions does in the machine's name to submit a job, mark it as its own, and look at how it goes. */
export function submitCalls(queueArn: string, definitionArn: string, jobId: string): readonly Wanted[] {
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
export function pullCalls(image: string): readonly Wanted[] {
  const [, account, region, repository] = /^(\d{12})\.dkr\.ecr\.([^.]+)\.[^/]+\/(.+?)[:@]/.exec(image) ?? [];
  // From elsewhere images are pulled without a permission.
  if (account === undefined || region === undefined || repository === undefined) {
    return [];
  }
  const resource = `arn:aws:ecr:${region}:${account}:repository/${repository}`;
  return ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'].map((action) => ({
    action,
    resource,
  }));
}
