import type { Client } from 'pg';
import { z } from 'zod';
import { type Answer, ifAnswered } from '../connection/if-answered.ts';
import type { Exclusions } from '../filters/exclusions.ts';
import { databaseNeeds, databaseNeedsSchema } from './database-needs.ts';
import { parameterGrants } from './parameter-grants.ts';
import { roleNeeds, roleSchema } from './role-needs.ts';
import { rolesInRows } from './roles-in-rows.ts';
import { userMappings, userMappingSchema } from './user-mappings.ts';

/** What a database needs besides its dump: what its server has of it, and the roles that its contents refer to. */
export const needsSchema = z.object({
  database: databaseNeedsSchema.nullable(),
  roles: z
    .array(roleSchema)
    .nullable()
    .describe('those that the dump refers to, their members, and the roles that these are members of'),
  userMappings: z.array(userMappingSchema).nullable().describe('without their options, which contain passwords'),
  unseen: z
    .array(z.string())
    .describe('why one of these is null, or lacks the roles that rows name, or grants on parameters'),
});

export type Needs = z.infer<typeof needsSchema>;

/**
 * What the server does not answer, as what the user may not see, does not fail: it is null, with the reason in
 * `unseen`. Other errors pass through, as {@link ifAnswered} says.
 */
export async function inspectNeeds(client: Client, exclusions: Exclusions): Promise<Needs> {
  const database = await ifAnswered(client, 'settings and grants', databaseNeeds);
  const inRows = await ifAnswered(client, 'roles in rows', (asked) => rolesInRows(asked, exclusions));
  const roles = await ifAnswered(client, 'roles', (asked) => roleNeeds(asked, 'value' in inRows ? inRows.value : []));
  const grants = await ifAnswered(client, 'grants on parameters', parameterGrants);
  const grantsOf = (role: string) => ('value' in grants ? (grants.value.get(role) ?? []) : []);
  const mappings = await ifAnswered(client, 'user mappings', userMappings);
  const unseen = [database, inRows, roles, grants, mappings].flatMap((answer: Answer<unknown>) =>
    'unseen' in answer ? [answer.unseen] : [],
  );
  return {
    database: 'value' in database ? database.value : null,
    roles: 'value' in roles ? roles.value.map((role) => ({ ...role, parameters: grantsOf(role.name) })) : null,
    userMappings: 'value' in mappings ? mappings.value : null,
    unseen,
  };
}
