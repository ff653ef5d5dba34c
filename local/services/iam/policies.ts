import { z } from 'zod';
import { ACCOUNT } from '../../assembly/account.ts';
import type { Resource, Template } from '../../assembly/template.ts';

const strings = z.union([z.string().transform((only) => [only]), z.array(z.string())]).readonly();

const statementSchema = z.looseObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: strings,
  Resource: strings.optional(),
});

const documentSchema = z.looseObject({ Version: z.string(), Statement: z.array(statementSchema).readonly() });

/** A statement of a policy. Other fields are passed through to the policy engine. */
export type Statement = z.infer<typeof statementSchema>;
export type PolicyDocument = z.infer<typeof documentSchema>;

/** A policy, named after the resource that contains it: `DumpJob/JobRole/DefaultPolicy`. */
export interface Policy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** All policies of a template. */
export interface Policies {
  /** Identity-based policies of the users and roles of the template, by ARN. */
  readonly identities: ReadonlyMap<string, readonly Policy[]>;
  /** Resource-based policies of buckets, queues, topics and functions, and the trust policies of roles, by ARN. */
  readonly resources: ReadonlyMap<string, Policy>;
}

const attached = {
  PolicyDocument: documentSchema,
  Roles: z.array(z.string()).default([]),
  Users: z.array(z.string()).default([]),
};

const identitySchema = z.object({
  AssumeRolePolicyDocument: documentSchema.optional(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  PermissionsBoundary: z.undefined('Permissions boundaries are not supported.').optional(),
  Policies: z.array(z.object({ PolicyName: z.string(), PolicyDocument: documentSchema })).default([]),
});

/** @throws {Error} naming a policy whose document is not in the template */
export function policiesOf(template: Template): Policies {
  const managed = template.ofType('AWS::IAM::ManagedPolicy');
  const attachments = [...template.ofType('AWS::IAM::Policy'), ...managed].map((resource) => ({
    arn: resource.type === 'AWS::IAM::ManagedPolicy' ? template.arnOf(resource) : undefined,
    name: resource.title,
    ...template.properties(resource, z.object(attached)),
  }));
  const resources = new Map(resourcePolicies(template));
  const identities = new Map<string, readonly Policy[]>();
  for (const resource of [...template.ofType('AWS::IAM::Role'), ...template.ofType('AWS::IAM::User')]) {
    const { AssumeRolePolicyDocument, ManagedPolicyArns, Policies } = template.properties(resource, identitySchema);
    const name = template.nameOf(resource);
    const foreign = ManagedPolicyArns.find((arn) => !attachments.some((policy) => policy.arn === arn));
    if (foreign !== undefined) {
      throw new Error(`${resource.title} has the policy ${foreign}, whose document is not in the template.`);
    }
    const attachedTo = resource.type === 'AWS::IAM::Role' ? ('Roles' as const) : ('Users' as const);
    identities.set(template.arnOf(resource), [
      ...Policies.map((inline) => ({
        name: `${resource.title}/${inline.PolicyName}`,
        document: inline.PolicyDocument,
      })),
      ...attachments
        .filter((policy) => policy[attachedTo].includes(name) || ManagedPolicyArns.includes(policy.arn ?? ''))
        .map((policy) => ({ name: policy.name, document: policy.PolicyDocument })),
    ]);
    if (AssumeRolePolicyDocument !== undefined) {
      resources.set(template.arnOf(resource), { name: resource.title, document: AssumeRolePolicyDocument });
    }
  }
  return { identities, resources };
}

function resourcePolicies(template: Template): [arn: string, policy: Policy][] {
  const policiesOfType = <T extends object>(
    type: string,
    more: z.ZodType<T>,
    arns: (properties: T) => readonly string[],
  ) =>
    template.ofType(type).flatMap((resource): [string, Policy][] => {
      const { PolicyDocument } = template.properties(resource, z.object({ PolicyDocument: documentSchema }));
      const policy = { name: resource.title, document: PolicyDocument };
      return arns(template.properties(resource, more)).map((arn) => [arn, policy]);
    });
  const arnsNamed = (type: string, names: readonly string[]): readonly string[] =>
    template
      .ofType(type)
      .filter((resource) => names.includes(template.nameOf(resource)))
      .map((resource) => template.arnOf(resource));
  return [
    ...policiesOfType('AWS::S3::BucketPolicy', z.object({ Bucket: z.string() }), ({ Bucket }) => [
      `arn:aws:s3:::${Bucket}`,
    ]),
    ...policiesOfType('AWS::SQS::QueuePolicy', z.object({ Queues: z.array(z.string()) }), ({ Queues }) =>
      arnsNamed('AWS::SQS::Queue', Queues),
    ),
    ...policiesOfType('AWS::SNS::TopicPolicy', z.object({ Topics: z.array(z.string()) }), ({ Topics }) => Topics),
    ...template.ofType('AWS::Lambda::Function').flatMap((resource) => functionPolicy(template, resource)),
  ];
}

const permissionSchema = z.object({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceAccount: z.string().optional(),
  SourceArn: z.string().optional(),
});

/** The policy of a function. As in Lambda, each permission becomes a statement. */
function functionPolicy(template: Template, resource: Resource): [arn: string, policy: Policy][] {
  const arn = template.arnOf(resource);
  const statements = template.ofType('AWS::Lambda::Permission').flatMap((permission): Statement[] => {
    const { Action, FunctionName, Principal, SourceAccount, SourceArn } = template.properties(
      permission,
      permissionSchema,
    );
    if (FunctionName !== arn && FunctionName !== template.nameOf(resource)) {
      return [];
    }
    const Condition = {
      ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': SourceArn } }),
      ...(SourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
    };
    const principal = Principal.includes('.') ? { Service: Principal } : { AWS: Principal };
    const Sid = permission.logicalId;
    return [{ Sid, Effect: 'Allow', Principal: principal, Action: [Action], Resource: [arn], Condition }];
  });
  if (statements.length === 0) {
    return [];
  }
  return [[arn, { name: resource.title, document: { Version: '2012-10-17', Statement: statements } }]];
}

/** For keys outside of the template: access is controlled by identity-based policies. */
export const DEFAULT_KEY_POLICY: Policy = {
  name: 'the default key policy',
  document: {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: ['kms:*'], Resource: ['*'] },
    ],
  },
};
