import { expect } from '@jest/globals';
import { ofType, synthesizedResourcesWithOptions } from './synthesized-template.ts';

interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

/** Resources of the stack with every option. */
export const resources = await synthesizedResourcesWithOptions();

/** The statements of every role and user, by the logical ID that the policy is attached to. */
export const statements = new Map<string, Statement[]>();
for (const { Properties } of Object.values(ofType(resources, 'AWS::IAM::Policy'))) {
  const { PolicyDocument, Roles, Users } = Properties as {
    PolicyDocument: { Statement: Statement[] };
    Roles?: { Ref: string }[];
    Users?: { Ref: string }[];
  };
  for (const { Ref } of [...(Roles ?? []), ...(Users ?? [])]) {
    statements.set(Ref, [...(statements.get(Ref) ?? []), ...PolicyDocument.Statement]);
  }
}

/** Those of the only role or user whose ID matches. */
export function of(name: RegExp): readonly Statement[] {
  const [found, ...others] = [...statements.keys()].filter((id) => name.test(id));
  expect(others).toEqual([]);
  return statements.get(String(found)) ?? [];
}

/** The actions that it may do. */
export function actions(name: RegExp): readonly string[] {
  return of(name)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action }) => Action)
    .sort();
}
