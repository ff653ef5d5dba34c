import type { Grant } from './decision.ts';
import type { Policies, Policy } from './policies.ts';

/** What a statement of the template allows, and no call made use of. */
export interface UnusedPermission {
  /** Where in the template the policy is, for people. */
  readonly policy: string;
  readonly statement: string;
  readonly action: string;
  /** As the statement has them; of a role's trust, the role itself. */
  readonly resources: readonly string[];
}

/** The permissions of the template, one action of a statement at a time, that no call made use of. */
export function unusedPermissions(
  { identities, resources }: Policies,
  used: readonly (Grant & { readonly action: string })[],
): readonly UnusedPermission[] {
  const owned = [...resources].map(([arn, policy]) => ({ policy, arn }));
  const all = [...new Set([...identities.values()].flat())].map((policy) => ({ policy, arn: undefined }));
  return [...all, ...owned].flatMap(({ policy, arn }) => unusedOf(policy, arn, used));
}

function unusedOf(
  { name, document }: Policy,
  arn: string | undefined,
  used: readonly (Grant & { readonly action: string })[],
): readonly UnusedPermission[] {
  return document.Statement.flatMap(({ Sid, Effect, Action, Resource }, index) => {
    if (Effect === 'Deny') return [];
    const calls = used.filter((grant) => grant.policy === name && grant.index === index);
    return Action.filter((pattern) => !calls.some(({ action }) => fits(pattern, action))).map((action) => ({
      policy: name,
      statement: Sid ?? `${index + 1}`,
      action,
      resources: Resource ?? (arn === undefined ? [] : [arn]),
    }));
  });
}

/** Whether an action is meant by a pattern of a statement, which may hold asterisks. */
export function fits(pattern: string, action: string): boolean {
  const expression = pattern.replaceAll(/[^\w*]/g, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${expression}$`, 'i').test(action);
}
