import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ExecutionInput } from '../contract.ts';
import { executionName } from './core/execution-name.ts';

/**
 * Starts the execution for a run, exactly once: `waiting` means that it was started before, `closed` that it has already
 * ended. Step Functions answers a repeated start of a running execution with that execution, and refuses the name of a
 * closed one for 90 days.
 */
export async function startExecution(
  client: SFNClient,
  stateMachineArn: string,
  input: ExecutionInput,
): Promise<'started' | 'waiting' | 'closed'> {
  const { secretArn, tagsHash, when } = input;
  const requestedAt = new Date();
  try {
    const { startDate } = await client.send(
      new StartExecutionCommand({
        stateMachineArn,
        name: executionName(input),
        input: JSON.stringify({ secretArn, tagsHash, when } satisfies ExecutionInput),
      }),
    );
    return startDate !== undefined && startDate < requestedAt ? 'waiting' : 'started';
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) {
      return 'closed';
    }
    throw error;
  }
}
