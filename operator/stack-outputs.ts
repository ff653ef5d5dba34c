import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CommandError } from './command-error.ts';
import { aboutStack, STACK_NAME } from './stack.ts';

/**
 * Reads outputs of a deployed stack.
 *
 * @throws {StackNotFound} if there is no such stack
 * @throws {CommandError} if it lacks one of the outputs
 */
export async function readStackOutputs<Key extends string>(
  client: CloudFormationClient,
  keys: readonly Key[],
  StackName = STACK_NAME,
): Promise<Readonly<Record<Key, string>>> {
  const { Stacks = [] } = await aboutStack(() => client.send(new DescribeStacksCommand({ StackName })), StackName);
  const outputs = new Map((Stacks[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  const entries = keys.map((key) => {
    const value = outputs.get(key);
    if (value === undefined) {
      throw new CommandError(
        `The stack ${StackName} has no output ${key}: another version of AutoDump is deployed. Deploy this one, or use that one.`,
      );
    }
    return [key, value] as const;
  });
  return Object.fromEntries(entries) as Record<Key, string>;
}
