import {
  type CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CommandError } from './command-error.ts';
import { regionOf } from './region.ts';

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

/**
 * Reads outputs of a deployed stack.
 *
 * @throws {StackNotFound} if there is no such stack
 * @throws {CommandError} if it lacks one of the outputs, or no Region is set
 */
export async function readStackOutputs<Key extends string>(
  client: CloudFormationClient,
  keys: readonly Key[],
  StackName = STACK_NAME,
): Promise<Readonly<Record<Key, string>>> {
  await regionOf(client);
  const { Stacks = [] } = await aboutStack(() => client.send(new DescribeStacksCommand({ StackName })), StackName);
  const { Outputs = [], StackStatus = 'unknown' } = Stacks[0] ?? {};
  const outputs = new Map(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  const entries = keys.map((key) => {
    const value = outputs.get(key);
    if (value === undefined) {
      throw new CommandError(
        `The stack ${StackName} has no output ${key}. Its status is ${StackStatus}: if it is being deployed, wait; ` +
          'otherwise deploy this version of AutoDump, or use the one that is deployed.',
      );
    }
    return [key, value] as const;
  });
  return Object.fromEntries(entries) as Record<Key, string>;
}
