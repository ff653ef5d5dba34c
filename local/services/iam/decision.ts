import { type RequestAnalysis, runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import { DEFAULT_KEY_POLICY, type Policies, type Policy } from './policies.ts';

/** A request for authorization. */
export interface Call {
  /** ARN of a user or of a role session, or a service such as `events.amazonaws.com`. */
  readonly principal: string;
  /** `s3:PutObject` */
  readonly action: string;
  /** ARN, or `*` for an action without resource-level permissions. */
  readonly resource: string;
  /** Condition keys specific to this call, in addition to those that every call has. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** A call that an operation must be allowed to make, by whoever requests the operation. */
export type RequiredCall = Omit<Call, 'principal'>;

/** A statement that allowed a call. */
export interface Grant {
  /** Name of its policy. */
  readonly policy: string;
  /** Index of the statement in the policy. */
  readonly index: number;
}

export type Decision =
  | { readonly allowed: true; readonly grants: readonly Grant[] }
  /** The reason is worded as by AWS. */
  | { readonly allowed: false; readonly reason: string };

/** The account's administrator, who deploys the stack and creates secrets. */
export const ADMINISTRATOR = `arn:aws:iam::${ACCOUNT}:user/you`;

const ADMINISTRATOR_ACCESS: Policy = {
  name: 'AdministratorAccess',
  document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] },
};

/**
 * Allows or denies a call as AWS would.
 *
 * @throws {Error} if the policy engine rejects the call as invalid, for example for an action that does not exist
 */
export async function decide(policies: Policies, call: Call): Promise<Decision> {
  const { principal, action, resource } = call;
  const resourcePolicy = resourcePolicyFor(policies, call);
  const result = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: ACCOUNT }, contextVariables: contextOf(call) },
      identityPolicies: identityPoliciesOf(policies, principal).map(({ name, document }) => ({
        name,
        policy: document,
      })),
      resourcePolicy: resourcePolicy?.document,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error') {
    throw new Error(`Cannot evaluate policies for ${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  }
  const analyses = result.resultType === 'single' ? [result.result.analysis] : result.results.map((it) => it.analysis);
  if (result.overallResult !== 'Allowed') {
    return { allowed: false, reason: reasonFor(call, analyses) };
  }
  const grants = analyses.flatMap(({ identityAnalysis, resourceAnalysis }) => [
    ...(identityAnalysis?.allowStatements ?? []).map(({ policyId, statement }) => ({
      policy: policyId,
      index: statement.index() - 1,
    })),
    ...(resourceAnalysis?.allowStatements ?? []).map(({ statement }) => ({
      policy: resourcePolicy?.name ?? '',
      index: statement.index() - 1,
    })),
  ]);
  return { allowed: true, grants };
}

/** ARN of the role of a session `arn:aws:sts::…:assumed-role/<role>/<session>`; any other principal unchanged. */
export function identityOf(principal: string): string {
  const [, role] = /:assumed-role\/([^/]+)\//.exec(principal) ?? [];
  return role === undefined ? principal : `arn:aws:iam::${ACCOUNT}:role/${role}`;
}

function identityPoliciesOf({ identities }: Policies, principal: string): readonly Policy[] {
  return principal === ADMINISTRATOR ? [ADMINISTRATOR_ACCESS] : (identities.get(identityOf(principal)) ?? []);
}

/** Objects are subject to their bucket's policy. KMS keys outside of the template have the default key policy. */
function resourcePolicyFor({ resources }: Policies, { resource }: Call): Policy | undefined {
  const owner = resource.startsWith('arn:aws:s3:::') ? resource.replace(/\/.*/s, '') : resource;
  return resources.get(owner) ?? (resource.startsWith('arn:aws:kms:') ? DEFAULT_KEY_POLICY : undefined);
}

/**
 * Condition keys of a call. Traffic that goes over loopback here goes over TLS on AWS, and is treated as TLS.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
function contextOf({ principal, action, context }: Call): Record<string, string | string[]> {
  const identity = identityOf(principal);
  const isService = !principal.startsWith('arn:');
  return {
    'aws:CurrentTime': new Date().toISOString(),
    'aws:RequestedRegion': REGION,
    'aws:ResourceAccount': ACCOUNT,
    'aws:SecureTransport': 'true',
    'aws:PrincipalIsAWSService': `${isService}`,
    ...(isService
      ? { 'aws:PrincipalServiceName': principal }
      : {
          'aws:PrincipalAccount': ACCOUNT,
          'aws:PrincipalArn': identity,
          'aws:PrincipalType': identity === principal ? 'User' : 'AssumedRole',
        }),
    ...(action.startsWith('s3:') ? { 's3:TlsVersion': '1.3' } : {}),
    ...context,
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function reasonFor({ principal, action, resource }: Call, analyses: readonly RequestAnalysis[]): string {
  const isDenied = (by: 'identityAnalysis' | 'resourceAnalysis'): boolean =>
    analyses.some((analysis) => analysis[by]?.result === 'ExplicitlyDenied');
  // Only S3 quotes the resource.
  const on = action.startsWith('s3:') ? `"${resource}"` : resource;
  const because = isDenied('identityAnalysis')
    ? 'with an explicit deny in an identity-based policy'
    : isDenied('resourceAnalysis')
      ? 'with an explicit deny in a resource-based policy'
      : `because no ${principal.startsWith('arn:') ? 'identity' : 'resource'}-based policy allows the ${action} action`;
  return `User: ${principal} is not authorized to perform: ${action} on resource: ${on} ${because}`;
}
