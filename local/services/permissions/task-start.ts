import { ACCOUNT, REGION } from '../../assembly/template.ts';
import { AccessDenied, type Iam } from '../iam/iam.ts';
import { logCalls, pullCalls } from './service-calls.ts';

/** A container that may run. */
export interface StartedTask {
  readonly started: true;
  /** ARN of the session of the job's own role. */
  readonly session: string;
  /** Whether its output may be kept. */
  readonly logged: boolean;
}

/** A container that could not be started; the reasons are in the words of Batch. */
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
 * What ECS does before a container runs: it takes on the execution role, logs in to the registry, pulls the image, opens
 * the log, and gets the credentials of the job's own role.
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
  // What is under way, for the failure.
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
      await iam.demand({ principal, action: 'ecr:GetAuthorizationToken', resource: '*' });
    }
    failure = (reason) => ({
      statusReason: 'Task failed to start',
      reason: `CannotPullContainerError: AccessDeniedException: ${reason}`,
    });
    for (const call of pull) {
      await iam.demand({ ...call, principal });
    }
    failure = () => ({ statusReason: cannotAssume(JobRoleArn) });
    const session = await iam.assume(service, JobRoleArn, taskId);
    failure = (reason) => ({
      statusReason: `ResourceInitializationError: failed to create Cloudwatch log stream: AccessDeniedException: ${reason}`,
    });
    const [open, ...write] = logCalls(LogConfiguration.Options['awslogs-group'], logStream);
    if (open !== undefined) {
      await iam.demand({ ...open, principal });
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
