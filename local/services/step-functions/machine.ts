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
 * Reads a state machine. The library does not validate its definition, since that would take half a second of each
 * start: it compiles its schema each time. The tests of the stack do that.
 */
export function readMachine(template: Template, resource: Resource): Machine {
  const { DefinitionString, RoleArn } = template.properties(
    resource,
    z.object({ DefinitionString: z.string(), RoleArn: z.string() }),
  );
  const definition = parseDefinition(DefinitionString);
  const interpreter = new StateMachine(runnable(definition), { validationOptions: { noValidate: true } });
  return { arn: template.arnOf(resource), name: template.nameOf(resource), roleArn: RoleArn, definition, interpreter };
}

/** The resources that the machine's tasks call, such as `arn:aws:states:::lambda:invoke`. */
export function integrationsOf({ definition }: Machine): readonly string[] {
  return [...allStates(definition).values()].flatMap((state) => (state.Type === 'Task' ? [state.Resource] : []));
}
