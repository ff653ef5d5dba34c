import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';
import { allStates, parseDefinition, runnable } from '../../assembly/state-machine.ts';
import type { Resource, Template } from '../../assembly/template.ts';

/** A state machine of the template. */
export interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly definition: StateMachineDefinition;
  readonly interpreter: StateMachine;
}

/**
 * Definitions that were found valid. A validation takes a second, because the library compiles its schema each time.
 */
const valid = new Set<string>();

/** @throws {Error} if the definition is invalid */
export function readMachine(template: Template, resource: Resource): Machine {
  const { DefinitionString, RoleArn } = template.properties(
    resource,
    z.object({ DefinitionString: z.string(), RoleArn: z.string() }),
  );
  const definition = parseDefinition(DefinitionString);
  const validationOptions = valid.has(DefinitionString) ? { noValidate: true } : { checkArn: false };
  const interpreter = new StateMachine(runnable(definition), { validationOptions });
  valid.add(DefinitionString);
  return { arn: template.arnOf(resource), name: template.nameOf(resource), roleArn: RoleArn, definition, interpreter };
}

/** The resources that the machine's tasks call, such as `arn:aws:states:::lambda:invoke`. */
export function integrationsOf({ definition }: Machine): readonly string[] {
  return [...allStates(definition).values()].flatMap((state) => (state.Type === 'Task' ? [state.Resource] : []));
}
