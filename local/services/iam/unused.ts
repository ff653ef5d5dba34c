import { z } from 'zod';
import type { Grant } from './decision.ts';
import type { Policies, Policy, Statement } from './policies.ts';

/** An action that a statement of the template allows, and that no call used. */
export interface UnusedPermission {
  /** ARN of the role or user, or a service such as `events.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  /** As in the statement; for a trust policy, the role. */
  readonly resources: readonly string[];
  /** Path of the policy in the stack: `DumpJob/JobRole/DefaultPolicy`. */
  readonly policy: string;
  /** The statement's Sid, or else its number in the policy, from 1. */
  readonly statement: string;
  /** When the action is needed, if not in a successful run; null if unknown. */
  readonly reason: string | null;
}

/** When an action is needed that a successful run does not use. Keys of actions by services begin with the service. */
const REASONS: Readonly<Record<string, string>> = {
  'batch:TerminateJob': 'Only when an execution is stopped while its job is running.',
  'events:PutEvents': 'Only when there is something to report.',
  'kms:Decrypt': 'Only for data encrypted with a customer managed key.',
  'lambda:InvokeFunction': 'Only when a function has to continue in another invocation.',
  'rds:DescribeDBClusters': 'Only for a secret that RDS manages for a cluster.',
  'rds:DescribeDBInstances': 'Only for a secret that RDS manages for an instance.',
  's3:ListBucket': 'Only when a requested object does not exist, or objects are listed.',
  's3:ListMultipartUploadParts': 'Only when an upload to the same key was left open, for example by a killed attempt.',
  's3:PutObjectTagging': 'Only when a dump is kept because rows have vanished since.',
  's3:PutObject': 'Only when there is something to remember.',
  'sns:Publish': 'Only when there is something to report.',
  'sqs:SendMessage': 'Only when a function fails on every attempt.',
  'states:DescribeExecution': 'Only when a dump is not there in time.',
  'states:ListExecutions':
    'Only when running executions were not listed in the last few minutes, for example by an earlier local run.',
  'cloudwatch.amazonaws.com sns:Publish': 'Only when an alarm goes off; the local run has no metrics.',
  'events.amazonaws.com lambda:InvokeFunction': 'Only when an event matches the rule, or its schedule is due.',
  'events.amazonaws.com sqs:SendMessage': 'Only when an event matches the rule, or cannot be delivered.',
};

const MANUAL_JOB = 'Only when its job is submitted manually.';

export type UsedGrant = Grant & { readonly action: string };

/**
 * The permissions of the template that no call used, one entry per action of a statement.
 *
 * @param manualJobRoles ARNs of the roles of jobs that are only submitted manually
 */
export function unusedPermissions(
  { identities, resources }: Policies,
  used: readonly UsedGrant[],
  manualJobRoles: ReadonlySet<string> = new Set(),
): readonly UnusedPermission[] {
  return [
    ...[...identities].flatMap(([principal, policies]) =>
      policies.flatMap((policy) =>
        unusedOf(policy, used).map(({ action, statement, place }) => ({
          principal,
          action,
          resources: statement.Resource ?? [],
          ...place,
          reason: manualJobRoles.has(principal) ? MANUAL_JOB : (REASONS[action] ?? null),
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
          reason: manualJobRoles.has(arn) ? MANUAL_JOB : (REASONS[`${principal} ${action}`] ?? null),
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
    return statement.Action.filter((pattern) => !calls.some(({ action }) => matchesAction(pattern, action))).map(
      (action) => ({
        action,
        statement,
        place: { policy: name, statement: statement.Sid ?? `${index + 1}` },
      }),
    );
  });
}

/** A statement of a resource-based policy always has a principal. */
const principalSchema = z.union([z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())]))]);

function principalsOf({ Principal }: Statement): readonly string[] {
  const principal = principalSchema.parse(Principal);
  return typeof principal === 'string' ? [principal] : Object.values(principal).flat();
}

/** Whether a statement's action, which may contain asterisks, includes an action. */
export function matchesAction(pattern: string, action: string): boolean {
  const expression = pattern.replaceAll(/[^\w*]/g, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${expression}$`, 'i').test(action);
}
