import {
  type CloudFormationClient,
  GetTemplateCommand,
  paginateListStackResources,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { aboutStack, STACK_NAME } from '../stack.ts';

/** The parts of the stack that matter for its removal. */
export interface Stack {
  /** Names of EventBridge rules. */
  readonly rules: readonly string[];
  /** ARNs. */
  readonly stateMachines: readonly string[];
  /** Resources that CloudFormation retains. */
  readonly retained: readonly { readonly type: string; readonly name: string }[];
}

const templateSchema = z.object({
  Resources: z.record(z.string(), z.object({ DeletionPolicy: z.string().optional() })),
});

/**
 * Reads the deployed stack.
 *
 * @throws {StackNotFound} if it does not exist
 */
export async function readStack(client: CloudFormationClient): Promise<Stack> {
  return aboutStack(async () => {
    const resources: StackResourceSummary[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: STACK_NAME })) {
      resources.push(...(page.StackResourceSummaries ?? []));
    }
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName: STACK_NAME }));
    return stackOf(resources, TemplateBody);
  });
}

/**
 * Picks the resources that exist and matter.
 *
 * @param templateBody template of the stack, as JSON
 */
export function stackOf(resources: readonly StackResourceSummary[], templateBody: string): Stack {
  const template = templateSchema.parse(JSON.parse(templateBody)).Resources;
  // An earlier removal may have deleted some, and a failed deployment may never have created some.
  const existing = resources.flatMap(({ LogicalResourceId = '', PhysicalResourceId, ResourceType, ResourceStatus }) =>
    PhysicalResourceId === undefined || ResourceType === undefined || ResourceStatus === 'DELETE_COMPLETE'
      ? []
      : [{ type: ResourceType, name: PhysicalResourceId, policy: template[LogicalResourceId]?.DeletionPolicy }],
  );
  const namesOf = (type: string) => existing.filter((resource) => resource.type === type).map(({ name }) => name);
  return {
    rules: namesOf('AWS::Events::Rule'),
    stateMachines: namesOf('AWS::StepFunctions::StateMachine'),
    retained: existing
      .filter(({ policy }) => policy?.startsWith('Retain'))
      .map(({ type, name }) => ({ type, name }))
      .sort((a, b) => a.type.localeCompare(b.type) || a.name.localeCompare(b.name)),
  };
}
