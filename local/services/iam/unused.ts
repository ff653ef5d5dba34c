import { z } from 'zod';
import type { Grant } from './decision.ts';
import type { Policies, Policy, Statement } from './policies.ts';

/** What a statement of the template allows, and no call made use of. */
export interface UnusedPermission {
  /** ARN of the role or user, or the service, such as `events.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  /** As the statement has them; of a role's trust, the role itself. */
  readonly resources: readonly string[];
  /** Where in the template it is, for people: `DumpJob/JobRole/DefaultPolicy`. */
  readonly policy: string;
  /** Its Sid, or else its number in the policy, the first is 1. */
  readonly statement: string;
  /** Why a run that goes well has no use for it; null if that is not known. */
  readonly reason: string | null;
}

/** When AWS needs an action that a run which goes well does without; of services with the service in front. */
const REASONS: Readonly<Record<string, string>> = {
  'batch:TerminateJob': 'Only when an execution is stopped while its job runs.',
  'kms:Decrypt': 'Only for what is encrypted with a key of its own.',
  'lambda:InvokeFunction': 'Only when a function has to go on in another invocation.',
  's3:ListBucket': 'Only when an object is asked for that is not there, or a list of them.',
  'sqs:SendMessage': 'Only when a function fails every time.',
  'states:ListExecutions': 'Only when what runs was not listed some minutes before, as by an earlier run here.',
  'cloudwatch.amazonaws.com sns:Publish': 'Only when an alarm goes off, and no metrics are kept here.',
  'events.amazonaws.com lambda:InvokeFunction': 'Only when an event comes that the rule matches, or its time.',
  'events.amazonaws.com sqs:SendMessage': 'Only when an event can not be delivered.',
};

const BY_HAND = 'Only when somebody submits its job by hand.';

export type UsedGrant = Grant & { readonly action: string };

/**
 * The permissions of the template, one action of a statement at a time, that no call made use of.
 *
 * @param byHand ARNs of the roles of jobs that nothing in the template submits
 */
export function unusedPermissions(
  { identities, resources }: Policies,
  used: readonly UsedGrant[],
  byHand: ReadonlySet<string> = new Set(),
): readonly UnusedPermission[] {
  return [
    ...[...identities].flatMap(([principal, policies]) =>
      policies.flatMap((policy) =>
        unusedOf(policy, used).map(({ action, statement, place }) => ({
          principal,
          action,
          resources: statement.Resource ?? [],
          ...place,
          reason: byHand.has(principal) ? BY_HAND : (REASONS[action] ?? null),
        })),
      ),
    ),
    ...[...resources].flatMap(([arn, policy]) =>
      unusedOf(policy, used).flatMap(({ action, statement, place }) =>
        principalsOf(statement).map((principal) => ({
          principal,
          action,
          resources: statement.Resource ?? [arn],
          ...place,
          reason: byHand.has(arn) ? BY_HAND : (REASONS[`${principal} ${action}`] ?? null),
        })),
      ),
    ),
  ];
}

interface Unused {
  readonly action: string;
  readonly statement: Statement;
  readonly place: Pick<UnusedPermission, 'policy' | 'statement'>;
}

function unusedOf({ name, document }: Policy, used: readonly UsedGrant[]): readonly Unused[] {
  return document.Statement.flatMap((statement, index) => {
    if (statement.Effect === 'Deny') {
      return [];
    }
    const calls = used.filter((grant) => grant.policy === name && grant.index === index);
    return statement.Action.filter((pattern) => !calls.some(({ action }) => fits(pattern, action))).map((action) => ({
      action,
      statement,
      place: { policy: name, statement: statement.Sid ?? `${index + 1}` },
    }));
  });
}

/** Whom a resource lets in; a statement of the template that names nobody makes no sense. */
const principalSchema = z.union([z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())]))]);

function principalsOf({ Principal }: Statement): readonly string[] {
  const principal = principalSchema.parse(Principal);
  return typeof principal === 'string' ? [principal] : Object.values(principal).flat();
}

/** Whether an action is meant by a pattern of a statement, which may hold asterisks. */
export function fits(pattern: string, action: string): boolean {
  const expression = pattern.replaceAll(/[^\w*]/g, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${expression}$`, 'i').test(action);
}
