import { z } from 'zod';
import type { Template } from '../../../local/assembly/template.ts';

/** The state machines of a template. */
export interface Machines {
  /** The one that waits for scheduled times. */
  readonly runs: { readonly arn: string; readonly definition: string };
  /** ARNs of the others. */
  readonly others: readonly string[];
}

/** @throws {Error} if no state machine waits */
export function machinesOf(template: Template): Machines {
  const machines = template.ofType('AWS::StepFunctions::StateMachine').map((resource) => ({
    arn: template.arnOf(resource),
    definition: template.properties(resource, z.object({ DefinitionString: z.string() })).DefinitionString,
  }));
  const runs = machines.find(({ definition }) => definition.includes('"Type":"Wait"'));
  if (runs === undefined) {
    throw new Error('The template has no state machine that waits.');
  }
  return { runs, others: machines.filter((machine) => machine !== runs).map(({ arn }) => arn) };
}
