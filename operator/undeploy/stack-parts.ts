import {
  type CloudFormationClient,
  GetTemplateCommand,
  paginateListStackResources,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { aboutStack, STACK_NAME } from '../stack.ts';

/** The parts of the stack that matter for its removal. */
export interface StackParts {
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
 * Reads which parts the deployed stack has.
 *
 * @throws {StackNotFound} if it does not exist
 */
export async function readStackParts(client: CloudFormationClient): Promise<StackParts> {
  return aboutStack(async () => {
    const resources: StackResourceSummary[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: STACK_NAME })) {
      resources.push(...(page.StackResourceSummaries ?? []));
    }
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName: STACK_NAME }));
    return stackPartsOf(resources, TemplateBody);
  });
}

/**
 * Picks the resources that exist and matter.
 *
 * @param templateBody template of the stack, as JSON
 */
export function stackPartsOf(resources: readonly StackResourceSummary[], templateBody: string): StackParts {
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
