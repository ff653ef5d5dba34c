import { ACCOUNT, REGION } from '../../assembly/account.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import { logCalls, pullCalls } from './service-calls.ts';

/** A container that may start. */
export interface StartedTask {
  readonly started: true;
  /** ARN of the session of the job role. */
  readonly session: string;
  /** Whether the execution role may write the log. */
  readonly logged: boolean;
}

/** A container that may not start; the reasons are worded as by Batch. */
export interface FailedStart {
  readonly started: false;
  readonly statusReason: string;
  readonly reason?: string;
}

interface Container {
  readonly ExecutionRoleArn: string;
  readonly Image: string;
  readonly JobRoleArn: string;
  readonly LogConfiguration: { readonly Options: { readonly 'awslogs-group': string } };
}

/**
 * Authorizes what ECS does before it starts a container: it assumes the execution role, logs in to the registry, pulls
 * the image, creates the log stream, and assumes the job role.
 */
export async function startTask(
  iam: Iam,
  taskId: string,
  logStream: string,
  { ExecutionRoleArn, Image, JobRoleArn, LogConfiguration }: Container,
): Promise<StartedTask | FailedStart> {
  const service = { name: 'ecs-tasks.amazonaws.com', sourceArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:task/${taskId}` };
  const cannotAssume = (role: string): string =>
    `ECS was unable to assume the role '${role}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions.`;
  // Describes the failure of the current step.
  let failure: (reason: string) => Omit<FailedStart, 'started'> = () => ({
    statusReason: cannotAssume(ExecutionRoleArn),
  });
  try {
    const principal = await iam.assume(service, ExecutionRoleArn, taskId);
    const pull = pullCalls(Image);
    failure = (reason) => ({
      statusReason: `ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: ${reason}`,
    });
    if (pull.length > 0) {
      await iam.authorize({ principal, action: 'ecr:GetAuthorizationToken', resource: '*' });
    }
    failure = (reason) => ({
      statusReason: 'Task failed to start',
      reason: `CannotPullContainerError: AccessDeniedException: ${reason}`,
    });
    for (const call of pull) {
      await iam.authorize({ ...call, principal });
    }
    failure = () => ({ statusReason: cannotAssume(JobRoleArn) });
    const session = await iam.assume(service, JobRoleArn, taskId);
    failure = (reason) => ({
      statusReason: `ResourceInitializationError: failed to create Cloudwatch log stream: AccessDeniedException: ${reason}`,
    });
    const [open, ...write] = logCalls(LogConfiguration.Options['awslogs-group'], logStream);
    if (open !== undefined) {
      await iam.authorize({ ...open, principal });
    }
    let logged = true;
    for (const call of write) {
      logged &&= await iam.allows({ ...call, principal });
    }
    return { started: true, session, logged };
  } catch (error) {
    if (error instanceof AccessDenied) {
      return { started: false, ...failure(error.message) };
    }
    throw error;
  }
}
