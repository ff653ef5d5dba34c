import { z } from 'zod';
import type { Template } from '../../assembly/template.ts';
import type { Policies } from './policies.ts';

const rolesSchema = z.object({
  ContainerProperties: z.object({ ExecutionRoleArn: z.string().optional(), JobRoleArn: z.string().optional() }),
});

/** ARNs of the roles of jobs that only people submit: no principal in the template may submit them. */
export function manualJobRoles(template: Template, { identities }: Policies): ReadonlySet<string> {
  const submitted = [...identities.values()]
    .flat()
    .flatMap(({ document }) => document.Statement)
    .filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('batch:SubmitJob'))
    .flatMap(({ Resource = [] }) => Resource);
  const roles = template
    .ofType('AWS::Batch::JobDefinition')
    .filter((definition) => !submitted.includes(template.arnOf(definition).replace(/:\d+$/, '')))
    .flatMap((definition) => Object.values(template.properties(definition, rolesSchema).ContainerProperties));
  return new Set(roles);
}
