import { type RequestAnalysis, runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT, REGION } from '../../assembly/template.ts';
import { DEFAULT_KEY_POLICY, type Policies, type Policy } from './policies.ts';

/** What somebody wants to do. */
export interface Call {
  /** ARN of a user or of a role's session, or a service such as `events.amazonaws.com`. */
  readonly principal: string;
  /** `s3:PutObject` */
  readonly action: string;
  /** ARN, or `*` for an action that knows no resources. */
  readonly resource: string;
  /** Condition keys of this call, besides those that every call has. */
  readonly context?: Readonly<Record<string, string>>;
}

/** A statement that let a call pass. */
export interface Grant {
  /** Name of its policy. */
  readonly policy: string;
  /** Its place in the policy, the first is 0. */
  readonly index: number;
}

export type Decision =
  | { readonly allowed: true; readonly grants: readonly Grant[] }
  /** The reason is in the words of AWS. */
  | { readonly allowed: false; readonly reason: string };

/** The account's own administrator: who deploys the stack, and makes secrets. */
export const ADMINISTRATOR = `arn:aws:iam::${ACCOUNT}:user/you`;

const EVERYTHING: Policy = {
  name: 'AdministratorAccess',
  document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] },
};

/**
 * Decides a call as AWS would.
 *
 * @throws {Error} if the call makes no sense to the engine, such as an action that does not exist
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
    throw new Error(`${action} on ${resource} can't be decided: ${JSON.stringify(result.errors)}`);
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

/** ARN of the role of `arn:aws:sts::…:assumed-role/<role>/<session>`; of others the principal itself. */
export function identityOf(principal: string): string {
  const [, role] = /:assumed-role\/([^/]+)\//.exec(principal) ?? [];
  return role === undefined ? principal : `arn:aws:iam::${ACCOUNT}:role/${role}`;
}

function identityPoliciesOf({ identities }: Policies, principal: string): readonly Policy[] {
  return principal === ADMINISTRATOR ? [EVERYTHING] : (identities.get(identityOf(principal)) ?? []);
}

/** Objects come under their bucket's policy, and keys that are not the template's let IAM decide. */
function resourcePolicyFor({ resources }: Policies, { resource }: Call): Policy | undefined {
  const owner = resource.startsWith('arn:aws:s3:::') ? resource.replace(/\/.*/s, '') : resource;
  return resources.get(owner) ?? (resource.startsWith('arn:aws:kms:') ? DEFAULT_KEY_POLICY : undefined);
}

/**
 * Condition keys of a call. What goes over loopback here goes over TLS on AWS, and is judged as such.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
function contextOf({ principal, action, context }: Call): Record<string, string> {
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
  // S3 alone puts the resource into quotation marks.
  const on = action.startsWith('s3:') ? `"${resource}"` : resource;
  const because = isDenied('identityAnalysis')
    ? 'with an explicit deny in an identity-based policy'
    : isDenied('resourceAnalysis')
      ? 'with an explicit deny in a resource-based policy'
      : `because no ${principal.startsWith('arn:') ? 'identity' : 'resource'}-based policy allows the ${action} action`;
  return `User: ${principal} is not authorized to perform: ${action} on resource: ${on} ${because}`;
}
