import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DisableRuleCommand, type EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { CommandError } from '../command-error.ts';
import { STACK_NAME } from '../stack.ts';
import type { Options } from './options.ts';
import { readStackParts, type StackParts } from './stack-parts.ts';
import { stopExecutions } from './stop-executions.ts';

/** Folder that CDK synthesizes to, and destroys from. */
const ASSEMBLY = 'cdk.out';

export interface Environment {
  readonly region: string;
  readonly cloudFormation: CloudFormationClient;
  readonly eventBridge: EventBridgeClient;
  readonly stepFunctions: SFNClient;
  /** Runs CDK with arguments. @throws {CdkFailed} if it does not exit with status 0 */
  readonly cdk: (args: readonly string[]) => Promise<void>;
  /** Asks the user, unless the options say `force`. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Prints a line. */
  readonly report: (line: string) => void;
}

/** A CDK command failed. */
export class CdkFailed extends CommandError {
  override readonly name = 'CdkFailed';
}

/** The user did not confirm. */
export class NotConfirmed extends CommandError {
  override readonly name = 'NotConfirmed';
}

/**
 * Removes the stack: see HELP for the steps.
 *
 * @throws {StackNotFound} if the stack does not exist
 * @throws {NotConfirmed} if the user does not confirm
 * @throws {CdkFailed} if the app cannot be synthesized, or the stack not destroyed
 */
export async function undeploy({ context, force }: Options, environment: Environment): Promise<void> {
  const { region, cloudFormation, eventBridge, stepFunctions, cdk, confirm, report } = environment;
  const stack = await readStackParts(cloudFormation);
  describe(stack, region).forEach(report);
  if (!force && !(await confirm(`Remove ${STACK_NAME} from ${region}?`))) {
    throw new NotConfirmed('Nothing was changed.');
  }

  report('Synthesizing the app …');
  await cdk(['synth', '--quiet', '--output', ASSEMBLY, ...context.flatMap((entry) => ['--context', entry])]);
  for (const Name of stack.rules) {
    await eventBridge.send(new DisableRuleCommand({ Name }));
  }
  report(`Disabled ${stack.rules.length} rules. Stopping executions …`);
  const stopped = await stopExecutions(stepFunctions, stack.stateMachines, report);
  report(`Stopped ${stopped} executions. Destroying the stack …`);
  try {
    await cdk(['destroy', '--app', ASSEMBLY, '--force', STACK_NAME]);
  } catch (error) {
    throw new CdkFailed(`${error instanceof Error ? error.message : String(error)}\n${afterFailure(stack)}`, {
      cause: error,
    });
  }
  report(`${STACK_NAME} was removed from ${region}. ${stack.retained.length} resources stay, as listed above.`);
}

/** What the command is about to do. */
function describe({ rules, stateMachines, retained }: StackParts, region: string): readonly string[] {
  return [
    `This removes the stack ${STACK_NAME} from ${region}:`,
    ...rules.map((name) => `  - disables the rule ${name}`),
    ...stateMachines.map((arn) => `  - stops the running executions of ${arn}`),
    '  - deletes all resources of the stack except those listed below',
    'Dumps in progress are stopped, and leave nothing in S3.',
    'Restores in progress are terminated and leave their databases incomplete: wait for them first.',
    'These stay, with their contents:',
    ...retained.map(({ type, name }) => `  - ${type} ${name}`),
  ];
}

function afterFailure({ rules }: StackParts): string {
  return [
    'Run undeploy again to remove the rest. The rules are disabled and the waiting executions stopped, so no dump is',
    'scheduled. To keep AutoDump instead, enable the rules and invoke the Scanner; each secret misses the run it waited for:',
    ...rules.map((name) => `  aws events enable-rule --name ${name}`),
  ].join('\n');
}
