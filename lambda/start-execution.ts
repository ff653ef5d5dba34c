import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { CheckInput, ExecutionInput } from '../contract.ts';
import { checkName, executionName } from './core/execution-name.ts';

type Started = 'started' | 'waiting' | 'closed';

/**
 * Starts the execution for a run, exactly once: `waiting` means that it was started before, `closed` that it has
 * already ended. Step Functions answers a repeated start of a running execution with that execution, and refuses the
 * name of a closed one for 90 days.
 */
export async function startExecution(
  client: SFNClient,
  stateMachineArn: string,
  input: ExecutionInput,
): Promise<Started> {
  return await start(client, stateMachineArn, executionName(input), input);
}

/**
 * Starts the execution that checks a secret, unless one has checked it with these tags in the last 90 days. One that
 * still runs may have been started with other times: it counts as `closed`.
 */
export async function startCheck(client: SFNClient, stateMachineArn: string, check: CheckInput): Promise<Started> {
  return await start(client, stateMachineArn, checkName(check), check);
}

async function start(
  client: SFNClient,
  stateMachineArn: string,
  name: string,
  input: ExecutionInput | CheckInput,
): Promise<Started> {
  const requestedAt = new Date();
  try {
    const { startDate } = await client.send(
      new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
    );
    return startDate !== undefined && startDate < requestedAt ? 'waiting' : 'started';
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) {
      return 'closed';
    }
    throw error;
  }
}
