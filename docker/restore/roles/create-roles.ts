import { Failure } from '../../failure.ts';
import { log } from '../../log.ts';
import { withConnection } from '../../postgres/connection/connection.ts';
import { tryEach } from '../../postgres/connection/try-each.ts';
import type { MissingRoles } from '../../postgres/needs/role-statements.ts';
import type { RestoreTool } from '../pg-restore.ts';
import { essentialProblems } from './report-roles.ts';

/**
 * Creates the roles that the server lacks. What it refuses is a warning, unless rows depend on it: a policy or a user
 * mapping can be added once the role exists, if it ever can.
 *
 * @returns messages about what was refused
 * @throws {Failure} `refused` if the server refuses a role without which it would refuse rows
 */
export async function createRoles(
  { target, policy }: Pick<RestoreTool, 'target' | 'policy'>,
  { roles, statements }: MissingRoles,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const refused = new Set<string>();
  const messages: string[] = [];
  await withConnection(
    target,
    policy,
    signal,
    async (client) => {
      const refusals = await tryEach(
        client,
        statements.map(({ sql }) => sql),
      );
      for (const [index, { sql, makes, role }] of statements.entries()) {
        const refusal = refusals[index];
        if (refusal === undefined) {
          log(`Created: ${sql}`);
          continue;
        }
        log(`Warning: not created: ${refusal} | ${sql}`);
        messages.push(`${refusal}\nCommand was: ${sql}`);
        if (makes === 'role') {
          refused.add(role);
        }
      }
    },
    { access: 'READ WRITE' },
  );
  const problems = essentialProblems(roles.filter(({ name, uses }) => refused.has(name) && uses.includes('rows')));
  if (problems.length > 0) {
    throw new Failure('refused', problems.join(' '));
  }
  return messages;
}
