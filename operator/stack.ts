import { CloudFormationServiceException } from '@aws-sdk/client-cloudformation';
import { CommandError } from './command-error.ts';

/** The stack's name in `bin/autodump.ts`. */
export const STACK_NAME = 'AutoDump';

/** There is no such stack in this account and Region. */
export class StackNotFound extends CommandError {
  override readonly name = 'StackNotFound';
}

/**
 * Asks CloudFormation about a stack.
 *
 * @throws {StackNotFound} if it does not exist
 */
export async function aboutStack<T>(ask: () => Promise<T>, name = STACK_NAME): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CloudFormationServiceException && error.message.includes('does not exist')) {
      throw new StackNotFound(
        `There is no stack ${name} in this account and Region. Check AWS_PROFILE and AWS_REGION.`,
        { cause: error },
      );
    }
    throw error;
  }
}
